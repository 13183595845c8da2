import { EntitySchema } from 'typeorm';
import { instant, integer, optional, ownedBy, primary, text } from './columns';

export interface ConnectionRow {
  id: string;
  tenantId: string;
  name: string;
  /** The name folded by us: the engines' own lower() disagree beyond ASCII. */
  nameFolded: string;
  externalId: string | null;
  environment: string;
  lifecycle: string;
  status: string;
  teamKey: string;
  installLevel: string;
  workspaceSlackId: string | null;
  workspaceName: string | null;
  workspaceUrl: string | null;
  organizationSlackId: string | null;
  organizationName: string | null;
  organizationUrl: string | null;
  installerSlackId: string | null;
  installerDisplayName: string | null;
  lastVerifiedAt: Date | null;
  createdAt: Date;
  updatedAt: Date;
  version: number;
  /** Null counts as due. It belongs to the background's checks, and no write of a connection touches it. */
  nextCheckAt: Date | null;
}

export const connectionEntity = new EntitySchema<ConnectionRow>({
  name: 'Connection',
  tableName: 'connections',
  columns: {
    id: primary(text('id')),
    tenantId: ownedBy('Tenant', text('tenant_id')),
    name: text('name'),
    nameFolded: text('name_folded'),
    externalId: optional(text('external_id')),
    environment: text('environment'),
    lifecycle: text('lifecycle'),
    status: text('status'),
    teamKey: text('team_key'),
    installLevel: text('install_level'),
    workspaceSlackId: optional(text('workspace_slack_id')),
    workspaceName: optional(text('workspace_name')),
    workspaceUrl: optional(text('workspace_url')),
    organizationSlackId: optional(text('organization_slack_id')),
    organizationName: optional(text('organization_name')),
    organizationUrl: optional(text('organization_url')),
    installerSlackId: optional(text('installer_slack_id')),
    installerDisplayName: optional(text('installer_display_name')),
    lastVerifiedAt: optional(instant('last_verified_at')),
    createdAt: instant('created_at'),
    updatedAt: instant('updated_at'),
    version: integer('version'),
    nextCheckAt: optional(instant('next_check_at')),
  },
  indices: [
    { name: 'uq_connections_external_id', columns: ['tenantId', 'externalId'], unique: true },
    {
      name: 'uq_connections_team',
      columns: ['tenantId', 'environment', 'teamKey'],
      unique: true,
      where: "lifecycle <> 'DISCONNECTED'",
    },
    { name: 'ix_connections_page', columns: ['tenantId', 'createdAt', 'id'] },
    { name: 'ix_connections_next_check', columns: ['nextCheckAt'] },
    { name: 'ix_connections_team', columns: ['environment', 'teamKey'] },
  ],
});
