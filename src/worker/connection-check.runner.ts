import type { ConnectionCheckService } from '../domain/connections/connection-check.service';
import type { Clock } from '../shared/clock';
import type { Logger } from '../shared/logger';
import { Repeater } from './repeater';

const LOOK_EVERY_MS = 60_000;

/** Looks every minute for connections whose check is due. */
export class ConnectionCheckRunner {
  readonly #repeater: Repeater;

  constructor(checks: ConnectionCheckService, means: { clock: Clock; random: () => number; logger: Logger }) {
    this.#repeater = new Repeater({
      ...means,
      name: 'connection checks',
      everyMs: LOOK_EVERY_MS,
      jitter: 0.2,
      work: (signal) => checks.checkDue(signal),
    });
  }

  start(): void {
    this.#repeater.start();
  }

  stop(): Promise<void> {
    return this.#repeater.stop();
  }
}
