import type { RequestRecord } from '../../src/simulator/request-log';
import type { Simulator } from '../../src/simulator/simulator';
import { defaultSwitches } from '../../src/simulator/switches';
import type { OrganizationKey } from '../../src/simulator/world/organization';
import type { Person } from '../../src/simulator/world/person';
import { mutate, type ProblemAnswer } from './operations';
import type { TestApp } from './start-app';

/** Everything that the API shows of a person. */
export const wholeUser = `id slackId userName active displayName primaryEmail title timezone locale preferredLanguage
  userType photoUrl profileUrl createdAt
  name { givenName familyName honorificPrefix } emails { value primary } phoneNumbers { value kind }
  addresses { streetAddress locality region postalCode country }
  employment { employeeNumber costCenter organization division department managerSlackId startDate }
  profileFields { key value } guest { kind expiresAt } groups { slackId name }`;

export interface WholeUser {
  readonly id: string;
  readonly slackId: string;
  readonly userName: string;
  readonly active: boolean;
  readonly displayName: string | null;
  readonly primaryEmail: string | null;
  readonly title: string | null;
  readonly timezone: string | null;
  readonly photoUrl: string | null;
  readonly profileUrl: string | null;
  readonly emails: readonly { value: string; primary: boolean }[];
  readonly employment: Readonly<Record<string, string | null>> | null;
  readonly profileFields: readonly { key: string; value: string }[];
  readonly guest: { kind: string; expiresAt: string | null } | null;
  readonly groups: readonly { slackId: string; name: string | null }[];
}

export interface PersonPayload {
  readonly user: WholeUser | null;
  readonly outcome: string;
  readonly problems: readonly ProblemAnswer[];
  readonly requestId: string;
}

export type PersonMutation =
  | 'provisionUser'
  | 'updateUser'
  | 'deprovisionUser'
  | 'reactivateUser'
  | 'convertToGuest'
  | 'convertToMember';

const inputTypes: Record<PersonMutation, string> = {
  provisionUser: 'ProvisionUserInput',
  updateUser: 'UpdateUserInput',
  deprovisionUser: 'UserActionInput',
  reactivateUser: 'UserActionInput',
  convertToGuest: 'ConvertToGuestInput',
  convertToMember: 'ConvertToMemberInput',
};

/** Runs a mutation on a person and answers all of the person; an error of the request fails the test at once. */
export function changePerson(
  app: TestApp,
  name: PersonMutation,
  input: object,
  options?: { key?: string | null },
): Promise<PersonPayload> {
  const selection = `user { ${wholeUser} } outcome`;
  return mutate<PersonPayload>(app, name, inputTypes[name], selection, input, options);
}

/** A payload without the id of its request: what must be equal when a call is answered again. */
export function answerOf({ requestId: _, ...answer }: PersonPayload): string {
  return JSON.stringify(answer);
}

export async function readPerson(app: TestApp, connectionId: string, by: object): Promise<WholeUser | null> {
  const query = `query ($id: ID!, $by: UserSelector!) { connection(id: $id) { user(by: $by) { ${wholeUser} } } }`;
  const answer = await app.call<{ connection: { user: WholeUser | null } }>(query, { id: connectionId, by });
  if (answer.errors || !answer.data) throw new Error(`user was not answered: ${answer.text}`);
  return answer.data.connection.user;
}

export function peopleOf(simulator: Simulator, organization: OrganizationKey = 'business'): Person[] {
  return [...simulator.world.organization(organization).people.values()];
}

export function holdersOf(simulator: Simulator, email: string, organization?: OrganizationKey): Person[] {
  return peopleOf(simulator, organization).filter((person) =>
    [person.primaryEmail, person.secondaryEmail].some((held) => held?.toLowerCase() === email.toLowerCase()),
  );
}

export function seededPerson(simulator: Simulator, userName: string, organization?: OrganizationKey): Person {
  const person = peopleOf(simulator, organization).find((candidate) => candidate.userName === userName);
  if (!person) throw new Error(`Nobody is called ${userName}`);
  return person;
}

/** The SCIM calls that reach the simulator while `work` runs, as in `GET /Users` and `PATCH /Users/{id}`. */
export async function callsDuring(simulator: Simulator, work: () => Promise<unknown>): Promise<string[]> {
  const before = simulator.requests.length;
  await work();
  return simulator.requests.slice(before).filter(isScim).map(nameOf);
}

export function isScim({ path }: RequestRecord): boolean {
  return path.startsWith('/scim/');
}

function nameOf({ method, path }: RequestRecord): string {
  return `${method} ${path.replace('/scim/v2', '').replace(/^\/(Users|Groups)\/.+/, '/$1/{id}')}`;
}

/** Takes back what a test did to the simulator, but for its people. */
export function calmDown(simulator: Simulator): void {
  simulator.faults.clear();
  Object.assign(simulator.switches, defaultSwitches, { limitsEnabled: false });
}
