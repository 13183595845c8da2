import type { ConnectionId } from '../../domain/connections/connection';
import { type DirectoryUser, type Employment, primaryEmailOf, type UserSelector } from '../../domain/directory/user';

/** A person as the API shows it. The connection it was read through and Slack's id together make its global id. */
export interface DirectoryUserNode extends Omit<DirectoryUser, 'employment'> {
  readonly id: string;
  readonly connectionId: ConnectionId;
  readonly name: Pick<DirectoryUser, 'givenName' | 'familyName' | 'honorificPrefix'> | undefined;
  readonly primaryEmail: string | undefined;
  readonly employment: Employment | undefined;
}

export function toUserNode(connectionId: ConnectionId, user: DirectoryUser): DirectoryUserNode {
  const { givenName, familyName, honorificPrefix, employment } = user;
  const hasName = givenName !== undefined || familyName !== undefined || honorificPrefix !== undefined;
  const hasEmployment = Object.values(employment).some((value) => value !== undefined);
  return {
    ...user,
    id: encodeUserId(connectionId, user.slackId),
    connectionId,
    name: hasName ? { givenName, familyName, honorificPrefix } : undefined,
    primaryEmail: primaryEmailOf(user),
    employment: hasEmployment ? employment : undefined,
  };
}

export function encodeUserId(connectionId: ConnectionId, slackId: string): string {
  return `usr_${Buffer.from(`${connectionId} ${slackId}`).toString('base64url')}`;
}

/** @returns undefined when the text is no user id. */
export function decodeUserId(id: string): { connectionId: ConnectionId; by: UserSelector } | undefined {
  if (!id.startsWith('usr_')) return undefined;
  const [connectionId, slackId] = Buffer.from(id.slice(4), 'base64url').toString('utf8').split(' ');
  if (!connectionId?.startsWith('con_') || !slackId) return undefined;
  return { connectionId: connectionId as ConnectionId, by: { slackId } };
}
