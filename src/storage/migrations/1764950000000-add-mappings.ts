import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';

/** The versions of the connections' attribute and role mappings. */
export class AddMappings1764950000000 implements MigrationInterface {
  readonly name = 'AddMappings1764950000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(mappingVersions);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable(mappingVersions.name);
  }
}

const mappingVersions = new Table({
  name: 'mapping_versions',
  columns: [
    { name: 'id', type: 'text', isPrimary: true },
    { name: 'connection_id', type: 'text' },
    { name: 'version', type: 'integer' },
    { name: 'definition', type: 'text' },
    { name: 'api_key_id', type: 'text' },
    { name: 'created_at', type: 'bigint' },
  ],
  foreignKeys: [
    {
      columnNames: ['connection_id'],
      referencedTableName: 'connections',
      referencedColumnNames: ['id'],
      onDelete: 'CASCADE',
    },
  ],
  indices: [{ name: 'uq_mapping_versions_connection', columnNames: ['connection_id', 'version'], isUnique: true }],
});
