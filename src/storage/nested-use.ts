import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * Finds work that calls the database again: on a single connection it would wait for itself for ever. It is wrong at every
 * run, so tests find it; to look for it elsewhere would cost every promise of the process some time.
 */
export class NestedUse {
  /** Of what is made from now on. */
  static isLookedFor = false;

  readonly #scope = NestedUse.isLookedFor ? new AsyncLocalStorage<{ isOpen: boolean }>() : undefined;

  assertNone(): void {
    if (!this.#scope?.getStore()?.isOpen) return;
    throw new Error('Database work called the database again. Use the stores that the work was given.');
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#scope) return work();
    const scope = { isOpen: true };
    try {
      return await this.#scope.run(scope, work);
    } finally {
      scope.isOpen = false;
    }
  }
}
