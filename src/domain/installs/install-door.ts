import type { Clock } from '../../shared/clock';
import type { Secret } from '../../shared/secret';
import type { Caller, Tenant } from '../access/access';
import type { Connection, ConnectionEnvironment, ConnectionIssue, InstallLevel } from '../connections/connection';
import { isRepairedByInstall } from '../connections/connection-problem';
import { Forbidden } from '../errors';
import type { Database, Stores } from '../ports';
import type { Install, InstallAttempt, InstallAttemptId } from './install';
import { type Bounds, callerOf, reconnectCaller } from './install-caller';
import { hashOfSecret, isHashOf, type ReconnectLinks } from './install-link';

/** How a person came to an installation: by the link of an install, by a signed link, or back from an attempt of their own. */
export type Door =
  | { readonly kind: 'link'; readonly secret: Secret }
  | { readonly kind: 'reconnect'; readonly signed: string }
  | { readonly kind: 'attempt'; readonly id: InstallAttemptId; readonly browser: Secret | undefined };

/**
 * Why nothing can be done behind a door. `USED`: by this or another person. `WITHDRAWN`: by whoever sent it.
 * `DISCONNECTED` and `UNNEEDED`: of the connection that a signed link would repair.
 */
export type ClosedReason = 'UNKNOWN' | 'USED' | 'EXPIRED' | 'WITHDRAWN' | 'DISCONNECTED' | 'UNNEEDED';

/** What the person is shown of what they are about to connect. */
export interface Subject {
  /** Who asks for it; undefined for the tenant that runs the gateway, whose name says nothing to others. */
  readonly partner: string | undefined;
  readonly name: string;
  readonly environment: ConnectionEnvironment;
  /** What must be granted; undefined while the person may choose. */
  readonly level: InstallLevel | undefined;
  readonly takesToken: boolean;
  readonly returnUrl: string | undefined;
  /** What is wrong with the connection that is to be repaired. */
  readonly issues: readonly ConnectionIssue[];
}

export type Opened =
  | { readonly isOpen: false; readonly reason: ClosedReason }
  | {
      readonly isOpen: true;
      readonly subject: Subject;
      /** undefined behind a signed link, until an attempt is made. */
      readonly install: Install | undefined;
      readonly connection: Connection | undefined;
      readonly caller: Caller;
    };

/** Finds what is behind a door, and whether it is still open. */
export class InstallDoors {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly links: ReconnectLinks,
  ) {}

  async open(door: Door, bounds: Bounds): Promise<Opened> {
    return this.database.read((stores) => this.#open(stores, door, bounds));
  }

  async #open(stores: Stores, door: Door, bounds: Bounds): Promise<Opened> {
    switch (door.kind) {
      case 'link':
        return this.#openInstall(stores, await stores.installs.findBySecret(hashOfSecret(door.secret)), bounds);
      case 'attempt': {
        const attempt = await stores.installs.findAttemptById(door.id);
        if (!attempt || !isOwnedBy(attempt, door.browser)) return closed('UNKNOWN');
        return this.#openInstall(stores, await stores.installs.findOwner(attempt), bounds);
      }
      case 'reconnect':
        return this.#openReconnect(stores, door.signed, bounds);
    }
  }

  async #openInstall(stores: Stores, install: Install | undefined, bounds: Bounds): Promise<Opened> {
    if (!install) return closed('UNKNOWN');
    if (install.completedAt) return closed('USED');
    const now = this.clock.now();
    if (install.expiresAt.getTime() <= now) return closed('EXPIRED');
    const caller = await this.#findCaller(stores, install, bounds, now);
    if (!caller) return closed('WITHDRAWN');
    const { connectionId, tenantId, name, environment, level, returnUrl } = install;
    const connection = connectionId && (await stores.connections.find(tenantId, connectionId));
    if (connectionId && !connection) return closed('WITHDRAWN');
    const issues = connection ? await repairableIssues(stores, connection) : [];
    const partner = partnerOf(caller.tenant);
    const takesToken = install.ways === 'CONSENT_OR_TOKEN';
    const subject = {
      partner,
      name,
      environment,
      level: level ?? connection?.installLevel,
      takesToken,
      returnUrl,
      issues,
    };
    return { isOpen: true, subject, install, connection, caller };
  }

  async #findCaller(stores: Stores, install: Install, bounds: Bounds, now: number): Promise<Caller | undefined> {
    try {
      return await callerOf(stores, install, bounds, now);
    } catch (error) {
      if (error instanceof Forbidden) return undefined;
      throw error;
    }
  }

  async #openReconnect(stores: Stores, signed: string, bounds: Bounds): Promise<Opened> {
    const target = this.links.open(signed, this.clock.now());
    if (!target) return closed('UNKNOWN');
    if (target.isExpired) return closed('EXPIRED');
    const tenant = await stores.tenants.find(target.tenantId);
    const connection = await stores.connections.find(target.tenantId, target.connectionId);
    if (!tenant || !connection) return closed('WITHDRAWN');
    if (connection.lifecycle === 'DISCONNECTED') return closed('DISCONNECTED');
    const issues = await repairableIssues(stores, connection);
    // A link that is kept must not replace a token that works.
    if (issues.length === 0) return closed('UNNEEDED');
    const { name, environment, installLevel } = connection;
    const subject = {
      partner: partnerOf(tenant),
      name,
      environment,
      level: installLevel,
      takesToken: false,
      returnUrl: undefined,
      issues,
    };
    return { isOpen: true, subject, install: undefined, connection, caller: reconnectCaller(tenant, bounds) };
  }
}

async function repairableIssues(stores: Stores, { id }: Connection): Promise<ConnectionIssue[]> {
  const open = await stores.issues.list(id, { includeResolved: false });
  return open.filter(({ code }) => isRepairedByInstall(code));
}

/** Whether this is the browser that the attempt was begun in. */
export function isOwnedBy({ browserHash }: InstallAttempt, browser: Secret | undefined): boolean {
  return isHashOf(browserHash, browser);
}

function partnerOf({ name, isOperator }: Tenant): string | undefined {
  return isOperator ? undefined : name;
}

function closed(reason: ClosedReason): Opened {
  return { isOpen: false, reason };
}
