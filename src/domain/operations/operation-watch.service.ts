import type { Clock } from '../../shared/clock';
import type { Watcher } from '../connections/connection-changes';
import { NotFound } from '../errors';
import type { Operation, OperationId } from './operation';
import { OperationProgress } from './operation-progress';
import type { OperationQueryService } from './operation-query.service';

/** Tells how operations get on, on whichever replica. */
export class OperationWatchService {
  constructor(
    private readonly queries: OperationQueryService,
    private readonly clock: Clock,
  ) {}

  /** @throws NotFound, Forbidden, Unauthenticated */
  async watch(watcher: Watcher, id: OperationId): Promise<AsyncIterableIterator<Operation>> {
    const caller = await watcher.caller();
    if (!(await this.queries.find(caller, id))) {
      throw new NotFound('There is no such operation.', { path: ['id'] });
    }
    return new OperationProgress(this.queries, this.clock, watcher, id);
  }
}
