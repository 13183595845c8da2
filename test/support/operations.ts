import type { TestApp } from './start-app';

export interface ProblemAnswer {
  readonly __typename: string;
  readonly code: string;
  readonly message: string;
  readonly remedy: string | null;
  readonly path: string[] | null;
  readonly retryable: boolean;
  readonly missingScopes?: string[];
  readonly detail?: string | null;
  readonly existingConnectionId?: string;
  readonly heldBy?: { slackId: string } | null;
  readonly reason?: string;
  readonly fields?: string[];
  readonly retryAfterSeconds?: number;
  readonly slackCode?: string;
  readonly httpStatus?: number;
}

export const problemFields = `problems {
  __typename code message remedy path retryable
  ... on MissingScopesProblem { missingScopes }
  ... on ConnectionProblem { detail }
  ... on DuplicateConnectionProblem { existingConnectionId }
  ... on EmailTakenProblem { heldBy { slackId } }
  ... on ProtectedUserProblem { reason }
  ... on InactiveUserProblem { user { slackId active } }
  ... on ProfileFieldsDroppedProblem { fields }
  ... on RateLimitedProblem { retryAfterSeconds }
  ... on UpstreamProblem { slackCode httpStatus }
  ... on AmbiguousGroupProblem { candidates { slackId } }
  ... on GroupNameTakenProblem { existingGroup { slackId } }
}`;

const connectionFields = `id name externalId environment status installLevel
  workspace { slackId name } organization { slackId name } installer { slackId displayName }
  issues(includeResolved: true) { code message remedy detail since resolvedAt }
  token { id kind status hint fingerprint grantedScopes missingScopes expiresAt }`;

export interface ConnectionAnswer {
  readonly id: string;
  readonly name: string;
  readonly externalId: string | null;
  readonly status: string;
  readonly installLevel: string | null;
  readonly workspace: { slackId: string; name: string } | null;
  readonly organization: { slackId: string; name: string } | null;
  readonly installer: { slackId: string; displayName: string | null } | null;
  readonly issues: { code: string; detail: string | null; resolvedAt: string | null; remedy: string }[];
  readonly token: {
    id: string;
    status: string;
    hint: string;
    fingerprint: string;
    grantedScopes: string[];
    missingScopes: string[];
    expiresAt: string | null;
  } | null;
}

export interface ConnectionPayloadAnswer {
  readonly connection: ConnectionAnswer | null;
  readonly problems: ProblemAnswer[];
  readonly requestId: string;
}

export interface UserAnswer {
  readonly id: string;
  readonly slackId: string;
  readonly userName: string;
  readonly active: boolean;
  readonly displayName: string | null;
  readonly primaryEmail: string | null;
  readonly title: string | null;
}

export interface UserPayloadAnswer {
  readonly user: UserAnswer | null;
  readonly outcome: string;
  readonly problems: ProblemAnswer[];
  readonly requestId: string;
}

export const userFields = 'id slackId userName active displayName primaryEmail title';

type MutationOptions = { key?: string | null };

/** Runs a mutation with one `input` and answers its payload; an error of the request fails the test at once. */
export async function mutate<Payload>(
  app: TestApp,
  name: string,
  inputType: string,
  selection: string,
  input: object,
  options?: MutationOptions,
): Promise<Payload> {
  const query = `mutation ($input: ${inputType}!) { ${name}(input: $input) { ${selection} ${problemFields} requestId } }`;
  const answer = await app.call<Record<string, Payload>>(query, { input }, options);
  const payload = answer.data?.[name];
  if (!payload || answer.errors) throw new Error(`${name} was not answered: ${answer.text}`);
  return payload;
}

const inputTypes: Record<string, string> = {
  createConnection: 'CreateConnectionInput',
  replaceToken: 'ReplaceTokenInput',
  updateConnection: 'UpdateConnectionInput',
  disconnect: 'DisconnectInput',
  provisionUser: 'ProvisionUserInput',
  updateUser: 'UpdateUserInput',
  convertToGuest: 'ConvertToGuestInput',
  convertToMember: 'ConvertToMemberInput',
};

/** createConnection, verifyConnection, replaceToken, updateConnection, pauseConnection, resumeConnection, disconnect. */
export function changeConnection(app: TestApp, name: string, input: object, options?: MutationOptions) {
  const inputType = inputTypes[name] ?? 'ConnectionIdInput';
  return mutate<ConnectionPayloadAnswer>(app, name, inputType, `connection { ${connectionFields} }`, input, options);
}

/** provisionUser, updateUser, deprovisionUser, reactivateUser, convertToGuest, convertToMember. */
export function changeUser(app: TestApp, name: string, input: object, options?: MutationOptions) {
  const inputType = inputTypes[name] ?? 'UserActionInput';
  return mutate<UserPayloadAnswer>(app, name, inputType, `user { ${userFields} } outcome`, input, options);
}

/** Connects the sandbox with one of its tokens; fails the test when that does not work. */
export async function connectSandbox(
  app: TestApp,
  token: 'business-admin' | 'business-owner' | 'enterprise-owner' = 'business-admin',
  options?: MutationOptions,
): Promise<ConnectionAnswer> {
  const input = { name: 'Test', environment: 'SANDBOX', token: app.simulator.tokens[token] };
  const { connection, problems } = await changeConnection(app, 'createConnection', input, options);
  if (!connection) throw new Error(`The sandbox was not connected: ${JSON.stringify(problems)}`);
  return connection;
}

export async function readConnection(
  app: TestApp,
  id: string,
  options?: MutationOptions,
): Promise<ConnectionAnswer | null> {
  const query = `query ($id: ID!) { connection(id: $id) { ${connectionFields} } }`;
  const answer = await app.call<{ connection: ConnectionAnswer | null }>(query, { id }, options);
  if (answer.errors || !answer.data) throw new Error(`connection was not answered: ${answer.text}`);
  return answer.data.connection;
}
