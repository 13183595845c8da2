import type { SlackEventService } from '../domain/connections/slack-event.service';
import type { Clock } from '../shared/clock';
import type { Logger } from '../shared/logger';
import { Repeater } from './repeater';

/** For events that another process stored, or that could not be handled at the first try. */
const LOOK_EVERY_MS = 60_000;

/** Handles events soon after they arrive, and what a crash or an outage of Slack left behind. */
export class SlackEventRunner {
  readonly #repeater: Repeater;

  constructor(events: SlackEventService, means: { clock: Clock; random: () => number; logger: Logger }) {
    this.#repeater = new Repeater({
      ...means,
      name: 'Slack events',
      everyMs: LOOK_EVERY_MS,
      jitter: 0.2,
      work: (signal) => events.handlePending(signal),
    });
  }

  start(): void {
    this.#repeater.start();
  }

  /** An event has arrived. */
  wake(): void {
    this.#repeater.wake();
  }

  stop(): Promise<void> {
    return this.#repeater.stop();
  }
}
