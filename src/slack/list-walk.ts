import { unavailable } from './errors';
import type { WireList } from './wire';

/** Ends a walk through a list that never ends by itself; a million entries are beyond any organization. */
const MOST_PAGES = 1000;

/** One page as it came, and what on it could be read. */
export interface WalkedPage<Entry> {
  readonly list: WireList;
  readonly entries: readonly Entry[];
}

/**
 * Reads a whole list and keeps what matches. Ends at the stated total, at an empty page, and at a page with nothing new
 * on it: some servers repeat the first page past the end. A page may well begin with somebody from the one before, when
 * the list grew meanwhile. Nothing is returned twice.
 * @throws UpstreamUnavailable when the deadline passes on the way
 */
export async function walkList<Entry extends { readonly slackId: string }>(
  readPage: (startIndex: number) => Promise<WalkedPage<Entry>>,
  matches: (entry: Entry) => boolean,
  bounds: { readonly now: () => number; readonly deadlineAt: number },
): Promise<readonly Entry[]> {
  const seen = new Set<string>();
  const found: Entry[] = [];
  let startIndex = 1;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const { list, entries } = await readPage(startIndex);
    const newcomers = entries.filter(({ slackId }) => !seen.has(slackId));
    if (list.entries.length === 0 || (newcomers.length === 0 && entries.length > 0)) return found;
    for (const entry of newcomers) {
      if (seen.has(entry.slackId)) continue;
      seen.add(entry.slackId);
      if (matches(entry)) found.push(entry);
    }
    startIndex += list.entries.length;
    if (list.totalResults !== undefined && startIndex > list.totalResults) return found;
    if (bounds.now() > bounds.deadlineAt) throw unavailable('LIST_TOO_LONG');
  }
  throw unavailable('LIST_TOO_LONG');
}
