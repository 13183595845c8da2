/**
 * A place in a list whose pages may overlap or begin again: how many entries lie behind, the last of them, and the first
 * of the whole list.
 */
export interface RosterPosition {
  readonly index: number;
  readonly lastSlackId?: string;
  readonly firstSlackId?: string;
}

export const rosterStart: RosterPosition = { index: 0 };

/** Slack's largest page. */
export const LARGEST_PAGE = 1000;

/**
 * What of a page lies behind a position, and how far the page reaches. Lists upstream are known to begin again when they
 * are asked past their end, and to show somebody twice when they grew between two pages. Entries that came garbled or
 * twice take places in the list, too.
 */
export function behind<Entry extends { readonly slackId: string }>(
  { index, lastSlackId, firstSlackId }: RosterPosition,
  { entries, entryCount }: { readonly entries: readonly Entry[]; readonly entryCount: number },
): { newcomers: Entry[]; end: number } {
  const beginsAgain =
    firstSlackId !== undefined && firstSlackId !== lastSlackId && entries[0]?.slackId === firstSlackId;
  if (beginsAgain) return { newcomers: [], end: index };
  const known = entries.findIndex(({ slackId }) => slackId === lastSlackId) + 1;
  return { newcomers: entries.slice(known), end: index + entryCount - known };
}
