import type { ResealService } from '../domain/keys/reseal.service';
import type { Clock } from '../shared/clock';
import type { Logger } from '../shared/logger';
import { Repeater } from './repeater';

const EVERY_MS = 5 * 60_000;
const JITTER = 0.2;

export interface ResealRunnerOptions {
  readonly reseal: ResealService;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

/**
 * Seals stored secrets anew without anybody asking: after a start with a new key, after another process was killed in the
 * middle of it, and after a replica with an older key has sealed one more.
 */
export class ResealRunner {
  readonly #repeater: Repeater;

  constructor(private readonly options: ResealRunnerOptions) {
    const { reseal, ...means } = options;
    this.#repeater = new Repeater({
      ...means,
      name: 'reseal',
      everyMs: EVERY_MS,
      jitter: JITTER,
      work: async () => void (await reseal.run()),
    });
  }

  start(): void {
    this.#repeater.start();
  }

  async stop(): Promise<void> {
    await this.options.reseal.stop();
    await this.#repeater.stop();
  }
}
