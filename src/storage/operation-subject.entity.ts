import { EntitySchema } from 'typeorm';
import { integer, ownedBy, primary, text } from './columns';

/** Whom an item that is not finished concerns; gone as soon as it is finished. */
export interface OperationSubjectRow {
  operationId: string;
  itemIndex: number;
  subject: string;
  connectionId: string;
}

export const operationSubjectEntity = new EntitySchema<OperationSubjectRow>({
  name: 'OperationSubject',
  tableName: 'operation_subjects',
  columns: {
    operationId: primary(ownedBy('Operation', text('operation_id'))),
    itemIndex: primary(integer('item_index')),
    subject: primary(text('subject')),
    connectionId: text('connection_id'),
  },
  indices: [{ name: 'ix_operation_subjects_connection', columns: ['connectionId', 'subject'] }],
});
