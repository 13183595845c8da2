import { randomUUID } from 'node:crypto';
import type { Clock } from '../../shared/clock';
import { ResourceLocked } from '../errors';
import type { Database } from '../ports';
import type { InstallId } from './install';
import type { Bounds } from './install-caller';

/** Longer than a call of the gateway takes, waits for Slack included. */
const LEASE_SPARE_MS = 10_000;
const ASK_EVERY_MS = 250;
const RETRY_AFTER_SECONDS = 60;

/**
 * Lets one browser at a time finish an install, over all replicas: a link is for one connection, and two tabs that both
 * come back from Slack in the same moment would make two.
 */
export class InstallTurns {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** @throws ResourceLocked when another one is still at it by the deadline */
  async take<Result>(id: InstallId, { deadlineAt, signal }: Bounds, work: () => Promise<Result>): Promise<Result> {
    const name = `install:${id}`;
    const owner = randomUUID();
    while (!(await this.acquire(name, owner, deadlineAt))) {
      if (this.clock.now() + ASK_EVERY_MS >= deadlineAt) {
        throw new ResourceLocked('Another browser is finishing this installation.', RETRY_AFTER_SECONDS, {
          remedy: 'Try again in a minute.',
        });
      }
      await this.clock.sleep(ASK_EVERY_MS, signal);
    }
    try {
      return await work();
    } finally {
      await this.database.transaction((stores) => stores.leases.release(name, owner));
    }
  }

  private acquire(name: string, owner: string, deadlineAt: number): Promise<boolean> {
    const forMs = Math.max(deadlineAt - this.clock.now(), 0) + LEASE_SPARE_MS;
    return this.database.transaction((stores) => stores.leases.acquire(name, owner, forMs));
  }
}
