import { connectionEnvironments } from '../domain/connections/connection';
import type { SlackEvent, SlackEventStore } from '../domain/install-ports';
import { oneOf } from './columns';
import { type SlackEventRow, slackEventEntity } from './slack-event.entity';
import type { StoreHandle } from './store-handle';

export class TypeOrmSlackEventStore implements SlackEventStore {
  constructor(private readonly handle: StoreHandle) {}

  insert(event: SlackEvent): Promise<boolean> {
    return this.handle.insert(slackEventEntity, toRow(event), { onDuplicate: 'skip' });
  }

  async listPending(limit: number): Promise<SlackEvent[]> {
    const rows = await this.handle.run((manager) =>
      manager
        .createQueryBuilder(slackEventEntity, 'row')
        .where('row.handledAt IS NULL')
        .orderBy('row.receivedAt', 'ASC')
        .addOrderBy('row.id', 'ASC')
        .limit(limit)
        .getMany(),
    );
    return rows.map(toEvent);
  }

  async markHandled(id: string, at: Date): Promise<void> {
    await this.handle.update(slackEventEntity, { handledAt: at }, 'id = :id AND handled_at IS NULL', { id });
  }

  deleteHandledBefore(before: Date, limit: number): Promise<number> {
    return this.handle.delete(
      slackEventEntity,
      'id IN (SELECT id FROM slack_events WHERE handled_at IS NOT NULL AND received_at < :before LIMIT :limit)',
      { before: before.getTime(), limit },
    );
  }
}

function toRow(event: SlackEvent): SlackEventRow {
  return {
    id: event.id,
    environment: event.environment,
    type: event.type,
    teamSlackId: event.teamSlackId ?? null,
    organizationSlackId: event.organizationSlackId ?? null,
    userSlackIds: event.userSlackIds,
    occurredAt: event.occurredAt,
    receivedAt: event.receivedAt,
    handledAt: null,
  };
}

function toEvent(row: SlackEventRow): SlackEvent {
  return {
    id: row.id,
    environment: oneOf(connectionEnvironments, row.environment),
    type: row.type,
    teamSlackId: row.teamSlackId ?? undefined,
    organizationSlackId: row.organizationSlackId ?? undefined,
    userSlackIds: row.userSlackIds,
    occurredAt: row.occurredAt,
    receivedAt: row.receivedAt,
  };
}
