export interface BackoffOptions {
  baseMs: number;
  capMs: number;
  /** Uniform in [0, 1). */
  random: () => number;
}

/**
 * Exponential backoff with equal jitter: half of the step is fixed, half is random, so that callers that failed together
 * do not come back together, and none comes back at once.
 * @param attempt 0 for the first wait.
 * @returns milliseconds, between half the step and the step.
 */
export function backoffMs(attempt: number, { baseMs, capMs, random }: BackoffOptions): number {
  const step = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30));
  return Math.round(step / 2 + (step / 2) * random());
}
