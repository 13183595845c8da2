import { EntitySchema } from 'typeorm';
import { instant, optional, primary, text, textList } from './columns';

export interface SlackEventRow {
  id: string;
  environment: string;
  type: string;
  teamSlackId: string | null;
  organizationSlackId: string | null;
  userSlackIds: readonly string[];
  occurredAt: Date;
  receivedAt: Date;
  handledAt: Date | null;
}

export const slackEventEntity = new EntitySchema<SlackEventRow>({
  name: 'SlackEvent',
  tableName: 'slack_events',
  columns: {
    id: primary(text('id')),
    environment: text('environment'),
    type: text('type'),
    teamSlackId: optional(text('team_slack_id')),
    organizationSlackId: optional(text('organization_slack_id')),
    userSlackIds: textList('user_slack_ids'),
    occurredAt: instant('occurred_at'),
    receivedAt: instant('received_at'),
    handledAt: optional(instant('handled_at')),
  },
  indices: [{ name: 'ix_slack_events_handled', columns: ['handledAt', 'receivedAt'] }],
});
