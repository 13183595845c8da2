import { backoffMs } from '../../shared/backoff';
import type { Clock } from '../../shared/clock';
import type { Logger } from '../../shared/logger';
import type { Caller } from '../access/access';
import { ConnectionProblem } from '../connections/connection-problem';
import type { GroupService } from '../directory/group.service';
import type { IdempotentRun } from '../directory/idempotency.service';
import type { ProvisioningService } from '../directory/provisioning.service';
import type { ProvisionOutcome } from '../directory/user';
import {
  AppError,
  ConnectionNotReady,
  RateLimited,
  ResourceLocked,
  StillRunning,
  StorageUnavailable,
  UpstreamOutcomeUnknown,
  UpstreamUnavailable,
} from '../errors';
import type { ItemResult } from '../operation-ports';
import { defect, storeItemProblem } from './item-problem';
import type { Operation } from './operation';
import type { ClaimedItem, OperationItem } from './operation-item';

/** How often an item is tried before it counts as failed. */
export const MOST_ATTEMPTS = 4;
const RETRY_BACKOFF = { baseMs: 2_000, capMs: 60_000 };
/** What holds one account or group may take its time; beyond this it is looked at again whatever was said. */
const LONGEST_PARKING_MS = 15 * 60_000;

/** What carrying out an item came to. */
export type Verdict =
  | {
      readonly kind: 'done';
      readonly outcome: ProvisionOutcome;
      readonly user?: OperationItem['user'];
      readonly problem?: AppError;
    }
  /** Said once and for all. */
  | { readonly kind: 'refused'; readonly problem: AppError }
  /** It may go better later: counted, so that it ends. */
  | { readonly kind: 'failed'; readonly problem: AppError; readonly afterMs?: number }
  /** Slack gave no answer of use: the item's fault, or nobody's. */
  | { readonly kind: 'unanswered'; readonly problem: AppError }
  /** Slack has no room at the moment, for this item and those like it. */
  | { readonly kind: 'limited'; readonly problem: AppError; readonly afterMs: number }
  /** Nothing can be done with the connection until somebody repairs it. */
  | { readonly kind: 'blocked'; readonly problem: AppError }
  /** The gateway itself broke off. */
  | { readonly kind: 'interrupted' };

export interface ItemMeans {
  readonly provisioning: ProvisioningService;
  readonly groups: GroupService;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

/** Carries one item out, as a single call would be; it never throws. */
export async function executeItem(
  means: ItemMeans,
  caller: Caller,
  operation: Operation,
  item: ClaimedItem,
  run: IdempotentRun,
): Promise<Verdict> {
  try {
    return await perform(means, caller, operation, item, run);
  } catch (error) {
    if (caller.signal.aborted) return { kind: 'interrupted' };
    if (error instanceof AppError) return verdictOf(error);
    means.logger.error({ operationId: operation.id, index: item.index, err: error }, 'an item met a defect');
    return { kind: 'failed', problem: defect() };
  }
}

async function perform(
  { provisioning, groups }: ItemMeans,
  caller: Caller,
  { connectionId, settings }: Operation,
  { work, isUnheld }: ClaimedItem,
  run: IdempotentRun,
): Promise<Verdict> {
  switch (work.action) {
    case 'provisionUser': {
      const { user, groups: joined } = work;
      const ifExists = settings.ifExists ?? 'UPDATE';
      const person = { connectionId, run, user, groups: joined, ifExists, isUnheld };
      return personVerdict(await provisioning.provision(caller, person));
    }
    case 'deprovisionUser':
      return personVerdict(await provisioning.deprovision(caller, { connectionId, run, user: work.user }));
    default: {
      const change = { connectionId, run, group: work.group, members: work.members };
      const { addedCount, removedCount, warnings } = await {
        addGroupMembers: () => groups.addMembers(caller, change),
        removeGroupMembers: () => groups.removeMembers(caller, change),
        setGroupMembers: () => groups.setMembers(caller, change),
      }[work.action]();
      const outcome = addedCount + removedCount > 0 ? 'UPDATED' : 'UNCHANGED';
      return { kind: 'done', outcome, problem: warnings[0] };
    }
  }
}

function personVerdict({ user, outcome, warnings }: Awaited<ReturnType<ProvisioningService['provision']>>): Verdict {
  const { slackId, displayName, userName } = user;
  return { kind: 'done', outcome, user: { slackId, name: displayName || userName }, problem: warnings[0] };
}

function verdictOf(error: AppError): Verdict {
  if (error instanceof StorageUnavailable) return { kind: 'interrupted' };
  if (error instanceof ConnectionNotReady) return { kind: 'blocked', problem: error };
  if (error instanceof ConnectionProblem) {
    return error.retryable ? { kind: 'unanswered', problem: error } : { kind: 'blocked', problem: error };
  }
  if (error instanceof RateLimited) {
    return { kind: 'limited', problem: error, afterMs: parkingMs(error.retryAfterSeconds) };
  }
  if (error instanceof ResourceLocked) {
    return { kind: 'failed', problem: error, afterMs: parkingMs(error.retryAfterSeconds) };
  }
  if (error instanceof UpstreamUnavailable || error instanceof UpstreamOutcomeUnknown) {
    return { kind: 'unanswered', problem: error };
  }
  if (error instanceof StillRunning) return { kind: 'limited', problem: error, afterMs: RETRY_BACKOFF.baseMs };
  return error.retryable ? { kind: 'failed', problem: error } : { kind: 'refused', problem: error };
}

function parkingMs(seconds: number): number {
  return Math.min(Math.max(seconds, 1) * 1_000, LONGEST_PARKING_MS);
}

/** What is written of a verdict. @param isAway Slack as a whole does not answer, so it says nothing about the item. */
export function resultOf(
  { clock, random }: Pick<ItemMeans, 'clock' | 'random'>,
  { kind }: Pick<Operation, 'kind'>,
  { index, attempts }: ClaimedItem,
  verdict: Verdict,
  { isAway = false }: { isAway?: boolean } = {},
): ItemResult {
  const list = kind === 'CHANGE_GROUP_MEMBERS' ? 'changes' : 'users';
  const stored = (problem: AppError | undefined) =>
    problem && storeItemProblem(problem, ['input', list, String(index)]);
  const back = { index, status: 'PENDING', attempts } as const;
  const now = clock.now();
  switch (verdict.kind) {
    case 'done': {
      const { outcome, user, problem } = verdict;
      const isFinal = !problem?.retryable || attempts + 1 >= MOST_ATTEMPTS;
      const status = isFinal ? 'SUCCEEDED' : 'PENDING';
      const notBefore = isFinal ? undefined : new Date(now + retryMs(attempts, random));
      return { index, status, attempts: attempts + 1, outcome, user, problem: stored(problem), notBefore };
    }
    case 'refused':
      return { index, status: 'FAILED', attempts: attempts + 1, outcome: 'FAILED', problem: stored(verdict.problem) };
    case 'failed':
    case 'unanswered': {
      const problem = stored(verdict.problem);
      if (isAway) return { ...back, problem };
      const counted = { index, attempts: attempts + 1, problem };
      if (attempts + 1 >= MOST_ATTEMPTS) return { ...counted, status: 'FAILED', outcome: 'FAILED' };
      const afterMs = 'afterMs' in verdict ? verdict.afterMs : undefined;
      return { ...counted, status: 'PENDING', notBefore: new Date(now + (afterMs ?? retryMs(attempts, random))) };
    }
    case 'limited':
      return { ...back, problem: stored(verdict.problem), notBefore: new Date(now + verdict.afterMs) };
    case 'blocked':
      return { ...back, problem: stored(verdict.problem) };
    case 'interrupted':
      return back;
  }
}

function retryMs(attempts: number, random: () => number): number {
  return Math.max(backoffMs(attempts, { ...RETRY_BACKOFF, random }), 250);
}
