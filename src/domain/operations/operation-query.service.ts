import type { Clock } from '../../shared/clock';
import { assertAllowed, type Caller } from '../access/access';
import { budgetKeyOf } from '../connections/grant-verifier.service';
import type { SlackDirectory } from '../directory-ports';
import { NotFound } from '../errors';
import type { OperationFilter } from '../operation-ports';
import type { Database, ListPosition, ListSlice } from '../ports';
import { type CallCounts, callsPerItem, estimatedFinish, sumOfCalls, timesCalls } from '../rate-estimate';
import type { ItemStatus, Operation, OperationId } from './operation';
import type { OperationItem } from './operation-item';

const DOWNLOADED_AT_ONCE = 500;

/** Reads operations, which tell of people. */
export class OperationQueryService {
  constructor(
    private readonly database: Database,
    private readonly directory: SlackDirectory,
    private readonly clock: Clock,
  ) {}

  /** @returns undefined when it is unknown or another tenant's. @throws Forbidden */
  async find(caller: Caller, id: OperationId): Promise<Operation | undefined> {
    assertAllowed(caller, 'users:read');
    return this.database.read(({ operations }) => operations.find(caller.tenant.id, id));
  }

  /** Newest first. @throws Forbidden, NotFound (the connection of the filter) */
  async list(
    caller: Caller,
    filter: OperationFilter,
    { first, after }: { first: number; after: ListPosition | undefined },
  ): Promise<ListSlice<Operation>> {
    assertAllowed(caller, 'users:read');
    return this.database.read(async ({ connections, operations }) => {
      const { connectionId } = filter;
      if (connectionId !== undefined && !(await connections.find(caller.tenant.id, connectionId))) {
        throw new NotFound('There is no such connection.', { path: ['connectionId'] });
      }
      return operations.list(caller.tenant.id, filter, first, after);
    });
  }

  /** In their order. @param after the index of the last item of the page before. @throws Forbidden */
  async items(
    caller: Caller,
    { id }: Operation,
    filter: { status?: readonly ItemStatus[] },
    { first, after }: { first: number; after: number | undefined },
  ): Promise<ListSlice<OperationItem>> {
    assertAllowed(caller, 'users:read');
    return this.database.read(({ operations }) => operations.listItems(id, filter.status, first, after));
  }

  /**
   * When it is likely to end, if nobody else used Slack's limits: behind what was accepted before it for the connection.
   * @returns undefined when it has ended or waits for somebody, and when nothing is known.
   */
  async estimatedFinish(caller: Caller, operation: Operation): Promise<Date | undefined> {
    if (operation.status !== 'QUEUED' && operation.status !== 'RUNNING') return undefined;
    const { connectionId } = operation;
    const { connection, others } = await this.database.read(async ({ connections, operations }) => ({
      connection: await connections.find(caller.tenant.id, connectionId),
      others: await operations.list(caller.tenant.id, { connectionId, status: unfinished }, MOST_COUNTED, undefined),
    }));
    if (!connection) return undefined;
    const budgets = await this.directory.budgetOf(budgetKeyOf(connection.environment, connection.teamKey));
    const before = others.items.filter(({ id, createdAt }) => id !== operation.id && createdAt <= operation.createdAt);
    const calls = sumOfCalls(...[operation, ...before].map(callsOf));
    const now = new Date(this.clock.now());
    return estimatedFinish(now, {
      calls,
      budgets,
      observedMs: budgets.length === 0 ? paceOf(operation, now) : undefined,
    });
  }

  /** All items, read a page at a time while they are asked for. @throws Forbidden */
  async *allItems(caller: Caller, operation: Operation): AsyncGenerator<OperationItem, void, void> {
    for (let after: number | undefined; ; ) {
      const { items, hasMore } = await this.items(caller, operation, {}, { first: DOWNLOADED_AT_ONCE, after });
      yield* items;
      after = items.at(-1)?.index;
      if (!hasMore || after === undefined) return;
    }
  }
}

const unfinished = ['QUEUED', 'RUNNING'] as const;
/** Operations of one connection at once: more than anybody waits for. */
const MOST_COUNTED = 100;
/** Fewer finished items tell nothing of the others. */
const FEWEST_FOR_PACE = 10;

const costs = {
  PROVISION_USERS: callsPerItem.provision,
  DEPROVISION_USERS: callsPerItem.deprovision,
  CHANGE_GROUP_MEMBERS: callsPerItem.groupMembers,
} as const;

function callsOf({ kind, counts }: Operation): CallCounts {
  return timesCalls(costs[kind], counts.pending + counts.running);
}

function paceOf({ counts, startedAt }: Operation, now: Date): number | undefined {
  const done = counts.succeeded + counts.failed;
  if (!startedAt || done < FEWEST_FOR_PACE) return undefined;
  return ((now.getTime() - startedAt.getTime()) / done) * (counts.pending + counts.running);
}
