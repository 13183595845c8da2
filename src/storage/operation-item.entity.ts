import { EntitySchema } from 'typeorm';
import { instant, integer, optional, ownedBy, primary, text, textList } from './columns';

export interface OperationItemRow {
  operationId: string;
  itemIndex: number;
  action: string;
  subject: string;
  subjectKeys: readonly string[];
  work: string;
  status: string;
  attempts: number;
  notBefore: Date | null;
  progress: string | null;
  outcome: string | null;
  userSlackId: string | null;
  userName: string | null;
  problem: string | null;
}

export const operationItemEntity = new EntitySchema<OperationItemRow>({
  name: 'OperationItem',
  tableName: 'operation_items',
  columns: {
    operationId: primary(ownedBy('Operation', text('operation_id'))),
    itemIndex: primary(integer('item_index')),
    action: text('action'),
    subject: text('subject'),
    subjectKeys: textList('subject_keys'),
    work: text('work'),
    status: text('status'),
    attempts: integer('attempts'),
    notBefore: optional(instant('not_before')),
    progress: optional(text('progress')),
    outcome: optional(text('outcome')),
    userSlackId: optional(text('user_slack_id')),
    userName: optional(text('user_name')),
    problem: optional(text('problem')),
  },
  indices: [{ name: 'ix_operation_items_status', columns: ['operationId', 'status', 'itemIndex'] }],
});
