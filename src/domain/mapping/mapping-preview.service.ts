import { setImmediate } from 'node:timers/promises';
import { assertAllowed, type Caller } from '../access/access';
import type { Connection, ConnectionId } from '../connections/connection';
import type { DirectoryAccess } from '../directory/directory-access';
import type { DirectoryGroup, GroupSelector } from '../directory/group';
import { groupsToLeave } from '../directory/group-departure';
import { holds } from '../directory/group-enrollment';
import { locateGroup } from '../directory/group-lookup';
import { AmbiguousGroup } from '../directory/group-problem';
import { noSuchGroup } from '../directory/group-writer';
import { withManager } from '../directory/manager-lookup';
import { PeopleLookup } from '../directory/people-lookup';
import {
  addressIsSecond,
  type FieldsPlace,
  guestsNeedOrganization,
  noNameFree,
} from '../directory/provisioning-problem';
import { type DirectoryUser, isSameEmail, type ProvisionOutcome, primaryEmailOf } from '../directory/user';
import { differences, hasChanges } from '../directory/user-differences';
import { type WantedPerson, wantedPerson } from '../directory/wanted-person';
import { AppError, InvalidInput, UserNameInvalid, UserNameUnavailable } from '../errors';
import type { Database } from '../ports';
import { personToProvision } from './mapped-draft';
import { type MappedPerson, mapPerson } from './mapped-person';
import type { MappingDefinition } from './mapping';
import { parseMapping } from './mapping.service';
import { parseRecord } from './source-record';

export const MOST_PREVIEWED = 100;

export interface PreviewedPerson extends Omit<MappedPerson, 'problems'> {
  /** What the account is called: the name it has, or the one that it would get. undefined when there are problems. */
  readonly userName: string | undefined;
  /** The account that holds the address; only when Slack was asked. */
  readonly existing?: DirectoryUser;
  /** What provisionUser would answer with ifExists UPDATE; only when Slack was asked. */
  readonly outcome?: ProvisionOutcome;
  /** What provisionUser would say of the record: why it is refused, or what is amiss beside the success. */
  readonly problems: readonly AppError[];
}

interface Row {
  readonly place: FieldsPlace;
  readonly person: MappedPerson;
  readonly wanted: WantedPerson | undefined;
  readonly problems: AppError[];
}

/** Shows what a mapping makes of records, and why, without changing anything. */
export class MappingPreviewService {
  constructor(
    private readonly database: Database,
    private readonly access: DirectoryAccess,
  ) {}

  /**
   * @param input.rows records of unknown shape, 1 to 100.
   * @param input.mapping of unknown shape; undefined for the one in force.
   * @param input.checkSlack whether to look up who exists and which user names are carried.
   * @returns a person for each row in turn; none when the mapping itself has problems.
   * @throws Forbidden, NotFound, InvalidInput; with checkSlack what DirectoryAccess.use throws
   */
  async preview(
    caller: Caller,
    input: { connectionId: ConnectionId; rows: readonly unknown[]; mapping?: unknown; checkSlack: boolean },
  ): Promise<{ people: readonly PreviewedPerson[]; problems: readonly InvalidInput[] }> {
    assertAllowed(caller, 'connections:read');
    if (input.checkSlack) assertAllowed(caller, 'users:read');
    const connection = await this.access.find(caller, input.connectionId, 'connections:read');
    const { definition, problems = [] } = await this.definitionOf(connection, input.mapping);
    if (!definition) return { people: [], problems };
    if (input.rows.length === 0 || input.rows.length > MOST_PREVIEWED) {
      throw new InvalidInput(`A preview takes 1 to ${MOST_PREVIEWED} rows.`, { path: ['input', 'rows'] });
    }
    const rows: Row[] = [];
    for (const [index, row] of input.rows.entries()) {
      rows.push(rowOf(definition, row, ['input', 'rows', String(index)], connection));
      // A large mapping takes milliseconds for each row, in which nobody else is served.
      await setImmediate();
    }
    if (!input.checkSlack) return { people: named(rows), problems: [] };
    const people = await this.access.use(caller, connection, async (client) => {
      await reportGroups(rows, (by) => locateGroup(client, caller, by, { withMembers: false }));
      return checked(rows, new PeopleLookup(client, caller));
    });
    return { people, problems: [] };
  }

  private async definitionOf(connection: Connection, mapping: unknown): Promise<ReturnType<typeof parseMapping>> {
    if (mapping !== undefined) return parseMapping(mapping);
    const [latest] = await this.database.read((stores) => stores.mappings.listLatest([connection.id]));
    if (latest) return { definition: latest.definition };
    throw new InvalidInput('This connection has no mapping yet.', {
      path: ['input', 'mapping'],
      remedy: 'Give the mapping to try, or set one with setMapping.',
    });
  }
}

function rowOf(
  definition: MappingDefinition,
  record: unknown,
  place: FieldsPlace,
  { id, installLevel }: Connection,
): Row {
  const problems: AppError[] = [];
  const parsed = attempt(problems, place, () => parseRecord(record, place));
  if (!parsed) return { place, person: nobody, wanted: undefined, problems };
  const person = mapPerson(definition, parsed, place);
  problems.push(...person.problems);
  if (person.account === 'GUEST' && installLevel !== 'ORGANIZATION') problems.push(guestsNeedOrganization(place));
  if (problems.length > 0) return { place, person, wanted: undefined, problems };
  const wanted = attempt(problems, place, () => ({
    ...wantedPerson(personToProvision(person, { connectionId: id, ifExists: 'UPDATE', request: {} })),
    place,
  }));
  return { place, person, wanted, problems };
}

const nobody: MappedPerson = {
  user: {},
  groups: [],
  leaves: [],
  account: undefined,
  fields: [],
  rules: [],
  problems: [],
};

function attempt<T>(problems: AppError[], path: readonly string[], work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    const Refusal = [InvalidInput, UserNameInvalid].find((family) => error instanceof family);
    if (!Refusal || !(error instanceof AppError)) throw error;
    problems.push(new Refusal(error.message, { path, remedy: error.remedy }));
    return undefined;
  }
}

/** Without a look at Slack only the rows themselves can be in each other's way. */
function named(rows: readonly Row[]): readonly PreviewedPerson[] {
  const taken = new Map<string, string>();
  return rows.map((row) => {
    const userName = row.wanted && freeName(row.wanted, taken, () => false);
    return shown(row, { userName });
  });
}

async function checked(rows: readonly Row[], people: PeopleLookup): Promise<readonly PreviewedPerson[]> {
  const emails = rows.flatMap(({ wanted }) => (wanted ? [wanted.draft.email, wanted.managerEmail ?? []].flat() : []));
  await people.resolve(emails.map((email) => ({ email })));
  const taken = new Map<string, string>();
  const shownRows: PreviewedPerson[] = [];
  for (const row of rows) shownRows.push(await checkedRow(row, people, taken));
  return shownRows;
}

async function checkedRow(row: Row, people: PeopleLookup, taken: Map<string, string>): Promise<PreviewedPerson> {
  const { wanted, warnings } = await managed(row, people);
  row.problems.push(...warnings);
  if (!wanted) return shown(row, { userName: undefined });
  const [holder] = await people.resolve([{ email: wanted.draft.email }]);
  const existing = holder?.user;
  if (existing && !isSameEmail(primaryEmailOf(existing) ?? '', wanted.draft.email)) {
    row.problems.push(addressIsSecond(existing, row.place));
    return shown(row, { userName: undefined, existing });
  }
  if (existing) {
    const { groups: keeps, leaves } = wanted;
    const isInGroups = keeps.every((group) => holds(existing, group));
    const isSame =
      isInGroups &&
      groupsToLeave(existing, { leaves, keeps }).length === 0 &&
      !hasChanges(differences(existing, wanted.changes));
    const outcome = existing.active ? (isSame ? 'UNCHANGED' : 'UPDATED') : 'REACTIVATED';
    return shown(row, { userName: existing.userName, existing, outcome });
  }
  const carried = new Set<string>();
  for (;;) {
    const userName = freeName(wanted, taken, (name) => carried.has(name));
    if (userName === undefined) {
      row.problems.push(noNameFree(new UserNameUnavailable(''), wanted.draft.userName, row.place));
      return shown(row, { userName });
    }
    const [carrier] = await people.resolve([{ userName }]);
    if (!carrier) return shown(row, { userName, outcome: 'CREATED' });
    carried.add(userName);
    taken.delete(userName);
  }
}

async function managed({ wanted }: Row, people: PeopleLookup) {
  if (!wanted) return { wanted, warnings: [] };
  const { person, warnings } = await withManager(wanted, async (email) => (await people.resolve([{ email }]))[0]?.user);
  return { wanted: person, warnings };
}

/** A group that is not there, or is one of several, is a problem beside the success of whoever is to join it. */
async function reportGroups(
  rows: readonly Row[],
  locate: (by: GroupSelector) => Promise<DirectoryGroup | undefined>,
): Promise<void> {
  const found = new Map<string, DirectoryGroup | AmbiguousGroup | undefined>();
  for (const { wanted, problems, place } of rows) {
    for (const by of wanted?.groups ?? []) {
      const key = JSON.stringify(by).toLowerCase();
      if (!found.has(key)) found.set(key, await locate(by).catch(ifAmbiguous));
      const group = found.get(key);
      if (!group) problems.push(noSuchGroup(place));
      if (group instanceof AmbiguousGroup) problems.push(new AmbiguousGroup(group.candidates, { path: place }));
    }
  }
}

function ifAmbiguous(error: unknown): AmbiguousGroup {
  if (error instanceof AmbiguousGroup) return error;
  throw error;
}

/** The first of the person's names that no earlier row has; the same person may come twice. */
function freeName(
  { userNames, draft }: WantedPerson,
  taken: Map<string, string>,
  isCarried: (name: string) => boolean,
): string | undefined {
  const email = draft.email.toLowerCase();
  const free = [...userNames].find((name) => (taken.get(name) ?? email) === email && !isCarried(name));
  if (free !== undefined) taken.set(free, email);
  return free;
}

function shown(
  { person: { problems: _, ...person }, problems }: Row,
  seen: Pick<PreviewedPerson, 'userName' | 'existing' | 'outcome'>,
): PreviewedPerson {
  return { ...person, ...seen, problems };
}
