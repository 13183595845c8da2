import type { Caller } from '../access/access';
import { Conflict, DuplicateConnection } from '../errors';
import { parseLabel } from '../label';
import type { Stores } from '../ports';
import { type Connection, type ConnectionId, LONGEST_CONNECTION_NAME } from './connection';

const LONGEST_EXTERNAL_ID = 255;

/** @throws InvalidInput */
export function parseConnectionName(name: string): string {
  return parseLabel(name, { what: "A connection's name", longest: LONGEST_CONNECTION_NAME, path: ['input', 'name'] });
}

/** @throws InvalidInput */
export function parseExternalId(externalId: string | undefined): string | undefined {
  if (externalId === undefined) return undefined;
  return parseLabel(externalId, { what: 'An externalId', longest: LONGEST_EXTERNAL_ID, path: ['input', 'externalId'] });
}

/** @throws Conflict when another connection of the tenant has it. */
export async function assertExternalIdFree(
  stores: Stores,
  { tenant }: Pick<Caller, 'tenant'>,
  externalId: string | undefined,
  except: ConnectionId | undefined,
): Promise<void> {
  if (externalId === undefined) return;
  const holder = await stores.connections.findByExternalId(tenant.id, externalId);
  if (holder && holder.id !== except) throw externalIdTaken();
}

export function externalIdTaken(): Conflict {
  return new Conflict('Another connection has this externalId.', {
    path: ['input', 'externalId'],
    remedy: 'Find that connection with connections(filter: { externalId: … }), or use another externalId.',
  });
}

export function teamConnected(existing: Connection): DuplicateConnection {
  return new DuplicateConnection('This Slack team is connected already.', existing.id, {
    path: ['input', 'token'],
    remedy: 'Use the existing connection; give it this token with replaceToken if the old one no longer works.',
  });
}
