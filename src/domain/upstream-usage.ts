import type { RateBudget } from './directory-ports';

/** `bulk` goes behind everything that somebody waits for, and leaves some of each burst to it. */
export type Urgency = 'interactive' | 'bulk';

/** What of Slack one request of ours has used. Filled in by whatever sends. */
export class UpstreamUsage {
  #calls = 0;
  readonly #left = new Map<string, { readonly budgetKey: string; readonly budget: RateBudget }>();

  /** How many calls were sent, repeats included. */
  get calls(): number {
    return this.#calls;
  }

  /** What was left, after the last call, of each limit that the calls counted in. */
  get left(): readonly { readonly budgetKey: string; readonly budget: RateBudget }[] {
    return [...this.#left.values()];
  }

  /** A call leaves. @param budgets of the limits that it counts in; none where nothing is known of them. */
  note(budgetKey: string, budgets: readonly RateBudget[]): void {
    this.#calls += 1;
    for (const budget of budgets) this.#left.set(`${budgetKey} ${budget.endpointClass}`, { budgetKey, budget });
  }
}
