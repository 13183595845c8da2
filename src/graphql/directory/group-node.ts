import type { ConnectionId } from '../../domain/connections/connection';
import type { DirectoryGroup, GroupSelector } from '../../domain/directory/group';

/** A group as the API shows it. The connection it was read through and Slack's id together make its global id. */
export interface DirectoryGroupNode extends DirectoryGroup {
  readonly id: string;
  readonly connectionId: ConnectionId;
}

export function toGroupNode(connectionId: ConnectionId, group: DirectoryGroup): DirectoryGroupNode {
  return { ...group, id: encodeGroupId(connectionId, group.slackId), connectionId };
}

export function encodeGroupId(connectionId: ConnectionId, slackId: string): string {
  return `grp_${Buffer.from(`${connectionId} ${slackId}`).toString('base64url')}`;
}

/** @returns undefined when the text is no group id. */
export function decodeGroupId(id: string): { connectionId: ConnectionId; by: GroupSelector } | undefined {
  if (!id.startsWith('grp_')) return undefined;
  const [connectionId, slackId] = Buffer.from(id.slice(4), 'base64url').toString('utf8').split(' ');
  if (!connectionId?.startsWith('con_') || !slackId) return undefined;
  return { connectionId: connectionId as ConnectionId, by: { slackId } };
}
