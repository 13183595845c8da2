import { type MigrationInterface, type QueryRunner, Table, type TableColumnOptions } from 'typeorm';

/** Texts, booleans, integers and bigints only: the types that SQLite and PostgreSQL declare alike. */
export class CreateSchema1764000000000 implements MigrationInterface {
  readonly name = 'CreateSchema1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const table of tables) await runner.createTable(table);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of [...tables].reverse()) await runner.dropTable(table.name);
  }
}

const required = (type: string, ...names: string[]): TableColumnOptions[] => names.map((name) => ({ name, type }));

const nullable = (type: string, ...names: string[]): TableColumnOptions[] =>
  names.map((name) => ({ name, type, isNullable: true }));

const primary = (...names: string[]): TableColumnOptions[] =>
  names.map((name) => ({ name, type: 'text', isPrimary: true }));

const ownedBy = (referencedTableName: string, columnName: string) => [
  { columnNames: [columnName], referencedTableName, referencedColumnNames: ['id'], onDelete: 'CASCADE' },
];

const tenants = new Table({
  name: 'tenants',
  columns: [
    ...primary('id'),
    ...required('text', 'name'),
    ...required('boolean', 'is_operator'),
    ...required('bigint', 'created_at'),
  ],
  indices: [{ name: 'uq_tenants_operator', columnNames: ['is_operator'], isUnique: true, where: 'is_operator = TRUE' }],
});

const apiKeys = new Table({
  name: 'api_keys',
  columns: [
    ...primary('id'),
    ...required('text', 'tenant_id', 'name', 'permissions', 'secret_hash'),
    ...required('bigint', 'created_at'),
    ...nullable('bigint', 'expires_at', 'last_used_at', 'revoked_at'),
  ],
  foreignKeys: ownedBy('tenants', 'tenant_id'),
  indices: [{ name: 'ix_api_keys_tenant', columnNames: ['tenant_id'] }],
});

const connections = new Table({
  name: 'connections',
  columns: [
    ...primary('id'),
    ...required('text', 'tenant_id', 'name', 'name_folded'),
    ...nullable('text', 'external_id'),
    ...required('text', 'environment', 'lifecycle', 'status', 'team_key', 'install_level'),
    ...nullable('text', 'workspace_slack_id', 'workspace_name', 'workspace_url'),
    ...nullable('text', 'organization_slack_id', 'organization_name', 'organization_url'),
    ...nullable('text', 'installer_slack_id', 'installer_display_name'),
    ...nullable('bigint', 'last_verified_at'),
    ...required('bigint', 'created_at', 'updated_at'),
    ...required('integer', 'version'),
  ],
  foreignKeys: ownedBy('tenants', 'tenant_id'),
  indices: [
    { name: 'uq_connections_external_id', columnNames: ['tenant_id', 'external_id'], isUnique: true },
    {
      name: 'uq_connections_team',
      columnNames: ['tenant_id', 'environment', 'team_key'],
      isUnique: true,
      where: "lifecycle <> 'DISCONNECTED'",
    },
    { name: 'ix_connections_page', columnNames: ['tenant_id', 'created_at', 'id'] },
  ],
});

const connectionIssues = new Table({
  name: 'connection_issues',
  columns: [
    ...primary('id'),
    ...required('text', 'connection_id', 'code', 'message', 'remedy'),
    ...nullable('text', 'detail'),
    ...required('bigint', 'since'),
    ...nullable('bigint', 'resolved_at'),
  ],
  foreignKeys: ownedBy('connections', 'connection_id'),
  indices: [
    { name: 'ix_connection_issues_connection', columnNames: ['connection_id', 'since'] },
    { name: 'ix_connection_issues_resolved', columnNames: ['resolved_at'] },
  ],
});

const accessTokens = new Table({
  name: 'access_tokens',
  columns: [
    ...primary('id'),
    ...required('text', 'connection_id', 'kind', 'status', 'granted_scopes', 'hint', 'fingerprint'),
    ...nullable('text', 'sealed_secret'),
    ...nullable('bigint', 'expires_at'),
    ...required('bigint', 'created_at'),
    ...nullable('bigint', 'verified_at', 'last_used_at'),
  ],
  foreignKeys: ownedBy('connections', 'connection_id'),
  indices: [
    { name: 'uq_access_tokens_active', columnNames: ['connection_id'], isUnique: true, where: "status = 'ACTIVE'" },
    { name: 'ix_access_tokens_connection', columnNames: ['connection_id', 'created_at'] },
  ],
});

const idempotencyRecords = new Table({
  name: 'idempotency_records',
  columns: [
    ...primary('tenant_id', 'key'),
    ...required('text', 'connection_id', 'action', 'input_hash', 'state', 'owner'),
    ...required('bigint', 'lease_expires_at'),
    ...nullable('text', 'progress', 'result'),
    ...required('bigint', 'created_at', 'expires_at'),
  ],
  foreignKeys: ownedBy('connections', 'connection_id'),
  indices: [
    { name: 'ix_idempotency_records_connection', columnNames: ['connection_id'] },
    { name: 'ix_idempotency_records_expiry', columnNames: ['expires_at'] },
  ],
});

const keyCheck = new Table({
  name: 'key_check',
  columns: [...primary('key_id'), ...required('text', 'sealed_canary'), ...required('bigint', 'created_at')],
});

const tables = [tenants, apiKeys, connections, connectionIssues, accessTokens, idempotencyRecords, keyCheck];
