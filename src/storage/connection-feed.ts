import type { TenantId } from '../domain/access/access';
import type { ConnectionId } from '../domain/connections/connection';
import type { ConnectionChange, ConnectionFeed } from '../domain/install-ports';
import type { Logger } from '../shared/logger';

type Listener = (change: ConnectionChange) => void;

/** Passes on, within this process, what was committed. */
export class LocalFeed implements ConnectionFeed {
  readonly #subscriptions = new Set<{ readonly listener: Listener }>();

  constructor(private readonly logger: Logger) {}

  subscribe(listener: Listener): () => void {
    const subscription = { listener };
    this.#subscriptions.add(subscription);
    return () => {
      this.#subscriptions.delete(subscription);
    };
  }

  publish(change: ConnectionChange): void {
    for (const { listener } of [...this.#subscriptions]) {
      try {
        listener(change);
      } catch (error) {
        // What was committed stays so, and the others must hear of it.
        this.logger.error({ err: error }, 'a listener to connection changes failed');
      }
    }
  }
}

/** As it travels through the database from one replica to another. */
export function changeText({ tenantId, connectionId }: NonNullable<ConnectionChange>): string {
  return `${tenantId} ${connectionId}`;
}

/** @returns undefined, which means "anything may have changed", for a text that no release of ours up to this one sends. */
export function parseChange(text: string | undefined): ConnectionChange {
  const [tenantId, connectionId, ...rest] = (text ?? '').split(' ');
  if (!tenantId || !connectionId || rest.length > 0) return undefined;
  return { tenantId: tenantId as TenantId, connectionId: connectionId as ConnectionId };
}
