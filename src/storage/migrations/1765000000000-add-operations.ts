import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';

/** Durable work on many people or groups. */
export class AddOperations1765000000000 implements MigrationInterface {
  readonly name = 'AddOperations1765000000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const table of [operations, operationItems, operationSubjects]) await runner.createTable(table);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const { name } of [operationSubjects, operationItems, operations]) await runner.dropTable(name);
  }
}

const ofOperation = {
  columnNames: ['operation_id'],
  referencedTableName: 'operations',
  referencedColumnNames: ['id'],
  onDelete: 'CASCADE',
};

const operations = new Table({
  name: 'operations',
  columns: [
    { name: 'id', type: 'text', isPrimary: true },
    { name: 'tenant_id', type: 'text' },
    { name: 'connection_id', type: 'text' },
    { name: 'api_key_id', type: 'text' },
    { name: 'kind', type: 'text' },
    { name: 'status', type: 'text' },
    { name: 'settings', type: 'text' },
    { name: 'ordinal', type: 'integer', isNullable: true },
    { name: 'total', type: 'integer' },
    { name: 'pending', type: 'integer' },
    { name: 'running', type: 'integer' },
    { name: 'succeeded', type: 'integer' },
    { name: 'failed', type: 'integer' },
    { name: 'skipped', type: 'integer' },
    { name: 'held', type: 'integer' },
    { name: 'pause_kind', type: 'text', isNullable: true },
    { name: 'pause_problem', type: 'text', isNullable: true },
    { name: 'setbacks', type: 'integer' },
    { name: 'due_at', type: 'bigint', isNullable: true },
    { name: 'created_at', type: 'bigint' },
    { name: 'started_at', type: 'bigint', isNullable: true },
    { name: 'finished_at', type: 'bigint', isNullable: true },
    { name: 'updated_at', type: 'bigint' },
    { name: 'version', type: 'integer' },
  ],
  foreignKeys: [
    {
      columnNames: ['connection_id'],
      referencedTableName: 'connections',
      referencedColumnNames: ['id'],
      onDelete: 'CASCADE',
    },
  ],
  indices: [
    { name: 'uq_operations_ordinal', columnNames: ['connection_id', 'ordinal'], isUnique: true },
    { name: 'ix_operations_page', columnNames: ['tenant_id', 'created_at', 'id'] },
    { name: 'ix_operations_due', columnNames: ['due_at'] },
    { name: 'ix_operations_pause', columnNames: ['pause_kind'] },
    { name: 'ix_operations_finished', columnNames: ['finished_at'] },
  ],
});

const operationItems = new Table({
  name: 'operation_items',
  columns: [
    { name: 'operation_id', type: 'text', isPrimary: true },
    { name: 'item_index', type: 'integer', isPrimary: true },
    { name: 'action', type: 'text' },
    { name: 'subject', type: 'text' },
    { name: 'subject_keys', type: 'text' },
    { name: 'work', type: 'text' },
    { name: 'status', type: 'text' },
    { name: 'attempts', type: 'integer' },
    { name: 'not_before', type: 'bigint', isNullable: true },
    { name: 'progress', type: 'text', isNullable: true },
    { name: 'outcome', type: 'text', isNullable: true },
    { name: 'user_slack_id', type: 'text', isNullable: true },
    { name: 'user_name', type: 'text', isNullable: true },
    { name: 'problem', type: 'text', isNullable: true },
  ],
  foreignKeys: [ofOperation],
  indices: [{ name: 'ix_operation_items_status', columnNames: ['operation_id', 'status', 'item_index'] }],
});

const operationSubjects = new Table({
  name: 'operation_subjects',
  columns: [
    { name: 'operation_id', type: 'text', isPrimary: true },
    { name: 'item_index', type: 'integer', isPrimary: true },
    { name: 'subject', type: 'text', isPrimary: true },
    { name: 'connection_id', type: 'text' },
  ],
  foreignKeys: [ofOperation],
  indices: [{ name: 'ix_operation_subjects_connection', columnNames: ['connection_id', 'subject'] }],
});
