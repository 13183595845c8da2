import { assertAllowed, type Caller } from '../access/access';
import type { ConnectionId } from '../connections/connection';
import type { ProvisionResult } from '../directory/provision-result';
import type { ProvisioningService } from '../directory/provisioning.service';
import type { IfExists } from '../directory/user';
import { InvalidInput, NotFound } from '../errors';
import type { Database } from '../ports';
import { personToProvision } from './mapped-draft';
import { mapPerson } from './mapped-person';
import type { Mapping } from './mapping';
import { parseRecord } from './source-record';

const PATH = ['input', 'record'];

/** Everything for which the mapping cannot make a person of a record. */
export interface RefusedRecord {
  readonly problems: readonly InvalidInput[];
}

/** Provisions people given as records of the partner's system, through the mapping that is in force. */
export class RecordProvisioningService {
  constructor(
    private readonly database: Database,
    private readonly provisioning: ProvisioningService,
  ) {}

  /**
   * @param input.record of unknown shape.
   * @returns as ProvisioningService.provision, or everything for which the mapping cannot make a person of the record.
   * @throws Forbidden, NotFound, InvalidInput (no mapping, not a record), and as ProvisioningService.provision
   */
  async provision(
    caller: Caller,
    { record, ...input }: { connectionId: ConnectionId; record: unknown; ifExists: IfExists; idempotencyKey?: string },
  ): Promise<ProvisionResult | RefusedRecord> {
    assertAllowed(caller, 'users:write');
    const mapping = await this.mappingOf(caller, input.connectionId);
    const person = mapPerson(mapping.definition, parseRecord(record, PATH), PATH);
    if (person.problems.length > 0) return { problems: person.problems };
    const request = { record, mappingVersion: mapping.version };
    return this.provisioning.provision(caller, personToProvision(person, { ...input, request }));
  }

  private async mappingOf(caller: Caller, connectionId: ConnectionId): Promise<Mapping> {
    const mapping = await this.database.read(async (stores) => {
      const connection = await stores.connections.find(caller.tenant.id, connectionId);
      if (!connection) throw new NotFound('There is no such connection.', { path: ['input', 'connectionId'] });
      return (await stores.mappings.listLatest([connectionId]))[0];
    });
    if (mapping) return mapping;
    throw new InvalidInput('This connection has no mapping that could make a Slack user of a record.', {
      path: PATH,
      remedy: 'Define one with setMapping, or give the person as `user`.',
    });
  }
}
