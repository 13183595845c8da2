import { type MigrationInterface, type QueryRunner, Table, type TableColumnOptions, TableIndex } from 'typeorm';

/**
 * Installations, token rotation and background work. Columns are added by plain statements, which both engines know:
 * TypeORM would copy the whole table on SQLite, and drop the old one.
 */
export class AddInstalls1764900000000 implements MigrationInterface {
  readonly name = 'AddInstalls1764900000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const [table, column, type] of columns) {
      await runner.query(`ALTER TABLE "${table}" ADD COLUMN "${column}" ${type}`);
    }
    for (const [table, index] of indices) await runner.createIndex(table, new TableIndex(index));
    for (const table of tables) await runner.createTable(table);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of [...tables].reverse()) await runner.dropTable(table.name);
    for (const [, { name }] of indices) await runner.query(`DROP INDEX "${name}"`);
    for (const [table, column] of [...columns].reverse()) {
      await runner.query(`ALTER TABLE "${table}" DROP COLUMN "${column}"`);
    }
  }
}

const columns: readonly (readonly [table: string, column: string, type: string])[] = [
  ['access_tokens', 'sealed_refresh_token', 'text'],
  ['access_tokens', 'generation', 'integer NOT NULL DEFAULT 1'],
  ['access_tokens', 'refreshed_at', 'bigint'],
  ['access_tokens', 'refresh_started_at', 'bigint'],
  ['access_tokens', 'app_slack_id', 'text'],
  ['connections', 'next_check_at', 'bigint'],
];

const indices: readonly (readonly [table: string, index: { name: string; columnNames: string[] }])[] = [
  ['access_tokens', { name: 'ix_access_tokens_expiry', columnNames: ['expires_at'] }],
  ['connections', { name: 'ix_connections_next_check', columnNames: ['next_check_at'] }],
  ['connections', { name: 'ix_connections_team', columnNames: ['environment', 'team_key'] }],
];

const required = (type: string, ...names: string[]): TableColumnOptions[] => names.map((name) => ({ name, type }));

const nullable = (type: string, ...names: string[]): TableColumnOptions[] =>
  names.map((name) => ({ name, type, isNullable: true }));

const primary = (name: string): TableColumnOptions => ({ name, type: 'text', isPrimary: true });

const ownedBy = (referencedTableName: string, columnName: string) => [
  { columnNames: [columnName], referencedTableName, referencedColumnNames: ['id'], onDelete: 'CASCADE' },
];

const installs = new Table({
  name: 'installs',
  columns: [
    primary('id'),
    ...required('text', 'tenant_id', 'api_key_id', 'ways', 'name'),
    ...nullable('text', 'external_id'),
    ...required('text', 'environment'),
    ...nullable('text', 'level', 'return_url', 'connection_id', 'problem'),
    ...required('text', 'secret_hash'),
    ...required('bigint', 'created_at', 'expires_at'),
    ...nullable('bigint', 'completed_at'),
  ],
  foreignKeys: ownedBy('tenants', 'tenant_id'),
  indices: [
    { name: 'uq_installs_secret', columnNames: ['secret_hash'], isUnique: true },
    { name: 'ix_installs_tenant', columnNames: ['tenant_id'] },
    { name: 'ix_installs_expiry', columnNames: ['expires_at'] },
  ],
});

const installAttempts = new Table({
  name: 'install_attempts',
  columns: [
    primary('id'),
    ...required('text', 'install_id', 'state_hash', 'browser_hash', 'level'),
    ...required('bigint', 'created_at', 'expires_at'),
    ...nullable('bigint', 'consumed_at', 'finished_at'),
    ...nullable('text', 'outcome', 'problem'),
  ],
  foreignKeys: ownedBy('installs', 'install_id'),
  indices: [
    { name: 'uq_install_attempts_state', columnNames: ['state_hash'], isUnique: true },
    { name: 'ix_install_attempts_install', columnNames: ['install_id'] },
  ],
});

const leases = new Table({
  name: 'leases',
  columns: [primary('name'), ...required('text', 'owner'), ...required('bigint', 'expires_at')],
});

const slackEvents = new Table({
  name: 'slack_events',
  columns: [
    primary('id'),
    ...required('text', 'environment', 'type'),
    ...nullable('text', 'team_slack_id', 'organization_slack_id'),
    ...required('text', 'user_slack_ids'),
    ...required('bigint', 'occurred_at', 'received_at'),
    ...nullable('bigint', 'handled_at'),
  ],
  indices: [{ name: 'ix_slack_events_handled', columnNames: ['handled_at', 'received_at'] }],
});

const tables = [installs, installAttempts, leases, slackEvents];
