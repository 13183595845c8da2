import type { AppError } from '../errors';
import type { Outcome } from './idempotency.service';
import {
  isFinal,
  isFinalWarning,
  reviveProblem,
  reviveUser,
  type StoredProblem,
  type StoredUser,
  storeProblem,
} from './stored-problem';
import type { DirectoryUser, ProvisionOutcome } from './user';

/** What a write did to a person, and the account as read back after it. */
export interface ProvisionResult {
  readonly user: DirectoryUser;
  readonly outcome: ProvisionOutcome;
  /** Things to know about a write that took effect, such as fields that Slack did not keep. */
  readonly warnings: readonly AppError[];
}

/** An outcome as it is kept under an idempotency key. */
interface StoredOutcome {
  readonly user?: StoredUser;
  readonly outcome?: ProvisionOutcome;
  readonly warnings?: readonly StoredProblem[];
  readonly problem?: StoredProblem;
}

/** @returns undefined when the outcome is not final. */
export function encodeOutcome(outcome: Outcome<ProvisionResult>): string | undefined {
  if ('value' in outcome) {
    const { user, outcome: what, warnings } = outcome.value;
    if (!warnings.every(isFinalWarning)) return undefined;
    return JSON.stringify({ user, outcome: what, warnings: warnings.map(storeProblem) } satisfies StoredOutcome);
  }
  const { error } = outcome;
  if (!isFinal(error)) return undefined;
  return JSON.stringify({ problem: storeProblem(error) } satisfies StoredOutcome);
}

export function decodeOutcome(stored: string): Outcome<ProvisionResult> {
  const { user, outcome, warnings = [], problem } = JSON.parse(stored) as StoredOutcome;
  if (problem) return { error: reviveProblem(problem) };
  const revived = reviveUser(user);
  if (!revived || !outcome) throw new Error('A stored outcome has neither a user nor a problem');
  return { value: { user: revived, outcome, warnings: warnings.map(reviveProblem) } };
}
