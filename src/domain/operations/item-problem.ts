import { reviveProblem, type StoredProblem, storeProblem } from '../directory/stored-problem';
import { AppError, type ErrorCode, errorCodes } from '../errors';

/** A problem as it is kept on an item or a paused operation. */
export interface StoredItemProblem extends StoredProblem {
  readonly retryable: boolean;
}

/** A problem of which nothing but the common fields is kept. */
export class ItemProblem extends AppError {
  override readonly retryable: boolean;

  constructor(
    readonly code: ErrorCode,
    { message, remedy, path, retryable }: Omit<StoredItemProblem, 'code'>,
  ) {
    super(message, { remedy, path });
    this.retryable = retryable;
  }
}

/** Those that carry more than the common fields, as `reviveProblem` knows them. */
const withMore: ReadonlySet<string> = new Set<ErrorCode>([
  'EMAIL_TAKEN',
  'PROTECTED_USER',
  'PROFILE_FIELDS_DROPPED',
  'UPSTREAM_REJECTED',
  'GROUP_MEMBER_REFUSED',
  'PROTECTED_GROUP',
  'AMBIGUOUS_GROUP',
]);

/** @param place where the item stands in what the caller sent, in place of where a single call has it. */
export function storeItemProblem(error: AppError, place?: readonly string[]): StoredItemProblem {
  const { path, ...problem } = storeProblem(error);
  return { ...problem, path: path && place ? [...place, ...path.slice(2)] : path, retryable: error.retryable };
}

export function reviveItemProblem(stored: StoredItemProblem): AppError {
  if (withMore.has(stored.code)) return reviveProblem(stored);
  return new ItemProblem(errorCodes.find((code) => code === stored.code) ?? 'INTERNAL', stored);
}

/** A defect as it is shown: the log has the rest. */
export function defect(): ItemProblem {
  return new ItemProblem('INTERNAL', { message: 'Internal error', retryable: false });
}
