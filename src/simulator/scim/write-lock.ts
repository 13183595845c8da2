import { ScimError } from './scim-error';

/** One write per user or group at a time; the next one meets 429 while the first runs (SCIM §10, documented). */
export class WriteLocks {
  readonly #held = new Set<string>();

  /**
   * @param timeMs how long the work takes: what the refused call is told to wait.
   * @throws ScimError `resource_locked` for groups, `too_many_requests` for users (SCIM §9.2, documented; the split is assumed).
   */
  async hold<T>(resource: 'Users' | 'Groups', id: string, timeMs: number, work: () => Promise<T>): Promise<T> {
    const key = `${resource}/${id}`;
    const retryAfterSeconds = Math.max(1, Math.ceil(timeMs / 1000));
    if (this.#held.has(key)) {
      throw new ScimError(resource === 'Groups' ? 'resource_locked' : 'too_many_requests', undefined, {
        retryAfterSeconds,
      });
    }
    this.#held.add(key);
    try {
      return await work();
    } finally {
      this.#held.delete(key);
    }
  }

  /** `Users/U…` and `Groups/S…` that are being written. */
  held(): string[] {
    return [...this.#held];
  }
}
