import type { Watcher } from '../connections/connection-changes';
import { NotFound } from '../errors';
import type { Operation, OperationId } from './operation';
import type { OperationLooks } from './operation-looks';
import { OperationProgress } from './operation-progress';
import type { OperationQueryService } from './operation-query.service';

/** Tells how operations get on, on whichever replica. */
export class OperationWatchService {
  constructor(
    private readonly queries: OperationQueryService,
    private readonly looks: OperationLooks,
  ) {}

  /**
   * The operation as it is, and again while it gets on, until it has ended.
   * @returns an iterator whose `return` ends the watch at once, before the first `next` and during one too.
   * @throws NotFound, Forbidden, Unauthenticated
   */
  async watch(watcher: Watcher, id: OperationId): Promise<AsyncIterableIterator<Operation>> {
    const operation = await this.queries.find(await watcher.caller(), id);
    if (!operation) throw new NotFound('There is no such operation.', { path: ['id'] });
    return new OperationProgress(this.looks, watcher, operation);
  }
}
