import type { RateBudget } from './directory-ports';

/** How many calls count in each of Slack's limits, by `RateBudget.endpointClass`. */
export type CallCounts = Readonly<Record<string, number>>;

/** What one item of bulk work costs when there is something to do: the look-up, and the write. */
export const callsPerItem = {
  provision: { reads: 1, 'users.create': 1, writes: 1 },
  update: { reads: 1, 'users.update': 1, writes: 1 },
  deprovision: { reads: 2, 'users.get': 1, 'users.update': 1, writes: 1 },
  groupMembers: { reads: 2, 'groups.get': 1, 'groups.update': 1, writes: 1 },
} as const satisfies Record<string, CallCounts>;

export function timesCalls(counts: CallCounts, items: number): CallCounts {
  return Object.fromEntries(Object.entries(counts).map(([row, count]) => [row, count * items]));
}

export function sumOfCalls(...parts: readonly CallCounts[]): CallCounts {
  const sum: Record<string, number> = {};
  for (const part of parts) for (const [row, count] of Object.entries(part)) sum[row] = (sum[row] ?? 0) + count;
  return sum;
}

/**
 * When bulk work could have made so many more calls, if nobody else used Slack's limits. Whoever else draws from them makes it
 * later, so what was seen so far counts where it is slower.
 * @param calls this work's, and those of whatever is before it in the same team.
 * @param budgets what is left now; empty when the gateway keeps no budget.
 * @param observedMs what the remaining work would take at the pace seen lately; undefined when none was seen.
 * @returns undefined when neither limits nor pace tell anything.
 */
export function estimatedFinish(
  now: Date,
  { calls, budgets, observedMs }: { calls: CallCounts; budgets: readonly RateBudget[]; observedMs?: number },
): Date | undefined {
  const waits = budgets.flatMap((budget) => {
    const count = calls[budget.endpointClass] ?? 0;
    return count > 0 ? [waitMs(budget, count, now)] : [];
  });
  if (observedMs !== undefined) waits.push(observedMs);
  return waits.length === 0 ? undefined : new Date(now.getTime() + Math.ceil(Math.max(...waits)));
}

function waitMs({ remaining, reserve, limitPerMinute, blockedUntil }: RateBudget, count: number, now: Date): number {
  const blockedMs = blockedUntil === undefined ? 0 : Math.max(0, blockedUntil.getTime() - now.getTime());
  // Below the reserve it has to fill up first.
  const missing = count - (remaining - reserve);
  return blockedMs + (Math.max(0, missing) * 60_000) / limitPerMinute;
}
