/**
 * The calls that are being carried out, so that a stop can wait for them: for the work itself and not for its socket,
 * because a write to Slack goes on when the client has left.
 */
export class RunningCalls {
  readonly #running = new Set<Promise<unknown>>();
  #isDraining = false;

  /** From then on nothing new should be begun. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    const running = work();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Resolves when every call has ended, well or badly. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    await Promise.allSettled(this.#running);
  }
}
