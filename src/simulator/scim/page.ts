import type { ListLies } from '../call';
import { ScimError } from './scim-error';
import { listUrn } from './urns';

const defaultCount = 10;
const largestCount = 1000;

export interface PageRequest {
  /** 1-based. */
  readonly startIndex: number;
  readonly count: number;
}

/** SCIM §8 (documented: default 10, silently capped at 1000) and §13.9 (assumed: odd numbers). */
export function parsePage(query: URLSearchParams): PageRequest {
  const sortOrder = query.get('sortOrder');
  if (sortOrder !== null && !/^(ascending|descending)$/i.test(sortOrder)) throw new ScimError('invalid_sort_order');
  return {
    startIndex: Math.max(1, parseNumber(query.get('startIndex'), 1)),
    count: Math.min(largestCount, Math.max(0, parseNumber(query.get('count'), defaultCount))),
  };
}

function parseNumber(text: string | null, fallback: number): number {
  return text !== null && /^-?\d{1,9}$/.test(text) ? Number(text) : fallback;
}

/** A list answer, keys in the recorded order (SCIM §8). The lies are those of the `lyingList` fault. */
export function listResource<Item>(
  items: readonly Item[],
  { startIndex, count }: PageRequest,
  render: (item: Item) => object,
  lies: ListLies | null,
): object {
  const isPastTheEnd = startIndex > items.length;
  let first = startIndex - 1;
  if (lies?.repeatsFirstPage && isPastTheEnd) first = 0;
  else if (lies?.showsPersonTwice && first > 0 && !isPastTheEnd) first -= 1;
  const resources = items.slice(first, first + count).map(render);
  return {
    schemas: [listUrn],
    Resources: resources,
    totalResults: lies?.changesTotals ? items.length + ((lies.turn % 3) - 1) : items.length,
    itemsPerPage: resources.length,
    startIndex,
  };
}
