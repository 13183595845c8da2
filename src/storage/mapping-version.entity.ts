import { EntitySchema } from 'typeorm';
import { instant, integer, ownedBy, primary, text } from './columns';

export interface MappingVersionRow {
  id: string;
  connectionId: string;
  version: number;
  definition: string;
  apiKeyId: string;
  createdAt: Date;
}

export const mappingVersionEntity = new EntitySchema<MappingVersionRow>({
  name: 'MappingVersion',
  tableName: 'mapping_versions',
  columns: {
    id: primary(text('id')),
    connectionId: ownedBy('Connection', text('connection_id')),
    version: integer('version'),
    definition: text('definition'),
    apiKeyId: text('api_key_id'),
    createdAt: instant('created_at'),
  },
  indices: [{ name: 'uq_mapping_versions_connection', columns: ['connectionId', 'version'], unique: true }],
});
