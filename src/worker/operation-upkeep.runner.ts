import type { ConnectionFeed } from '../domain/install-ports';
import type { OperationService } from '../domain/operations/operation.service';
import type { Clock } from '../shared/clock';
import type { Logger } from '../shared/logger';
import { Repeater } from './repeater';

/** For changes of connections that nobody heard of. */
const LOOK_EVERY_MS = 15_000;

/** Continues operations as soon as the connection that they waited for has recovered. */
export class OperationUpkeepRunner {
  readonly #repeater: Repeater;
  #stopListening = () => {};

  constructor(
    operations: OperationService,
    private readonly feed: ConnectionFeed,
    means: { clock: Clock; random: () => number; logger: Logger },
  ) {
    this.#repeater = new Repeater({
      ...means,
      name: 'paused operations',
      everyMs: LOOK_EVERY_MS,
      jitter: 0.2,
      work: () => operations.resumeRecovered(),
    });
  }

  start(): void {
    this.#stopListening = this.feed.subscribe(() => this.#repeater.wake());
    this.#repeater.start();
  }

  stop(): Promise<void> {
    this.#stopListening();
    return this.#repeater.stop();
  }
}
