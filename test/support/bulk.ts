import { mutate, type ProblemAnswer } from './operations';
import type { TestApp } from './start-app';

export interface CountsAnswer {
  readonly total: number;
  readonly pending: number;
  readonly running: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly skipped: number;
  readonly held: number;
}

export interface OperationAnswer {
  readonly id: string;
  readonly kind: string;
  readonly status: string;
  readonly counts: CountsAnswer;
  readonly pausedBecause: string | null;
  readonly problem: { readonly code: string } | null;
  readonly estimatedFinishAt: string | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

export interface ItemAnswer {
  readonly index: number;
  readonly action: string;
  readonly subject: string;
  readonly status: string;
  readonly attempts: number;
  readonly outcome: string | null;
  readonly user: { readonly slackId: string } | null;
  readonly problem: { readonly code: string; readonly path: readonly string[] | null } | null;
}

export interface OperationPayloadAnswer {
  readonly operation: OperationAnswer | null;
  readonly problems: readonly ProblemAnswer[];
}

export const operationFields = `id kind status pausedBecause problem { code } estimatedFinishAt startedAt finishedAt
  counts { total pending running succeeded failed skipped held }`;

const inputTypes: Readonly<Record<string, string>> = {
  provisionUsers: 'ProvisionUsersInput',
  deprovisionUsers: 'DeprovisionUsersInput',
  changeGroupMembers: 'ChangeGroupMembersInput',
};

/** provisionUsers, deprovisionUsers, changeGroupMembers, and those that take the id of an operation. */
export function changeOperation(
  app: TestApp,
  name: string,
  input: object,
  options?: { key?: string | null },
): Promise<OperationPayloadAnswer> {
  const selection = `operation { ${operationFields} }`;
  return mutate(app, name, inputTypes[name] ?? 'OperationIdInput', selection, input, options);
}

/** Begins an operation; fails the test when it is not accepted. */
export async function startOperation(
  app: TestApp,
  name: string,
  input: object,
  options?: { key?: string | null },
): Promise<OperationAnswer> {
  const { operation, problems } = await changeOperation(app, name, input, options);
  if (!operation) throw new Error(`${name} was not accepted: ${JSON.stringify(problems)}`);
  return operation;
}

export async function readOperation(
  app: TestApp,
  id: string,
  options?: { key?: string | null },
): Promise<OperationAnswer> {
  const query = `query ($id: ID!) { operation(id: $id) { ${operationFields} } }`;
  const { data, text } = await app.call<{ operation: OperationAnswer | null }>(query, { id }, options);
  if (!data?.operation) throw new Error(`operation was not answered: ${text}`);
  return data.operation;
}

export async function readItems(app: TestApp, id: string, options?: { key?: string | null }): Promise<ItemAnswer[]> {
  const query = `query ($id: ID!, $after: String) { operation(id: $id) { items(first: 100, after: $after) {
    nodes { index action subject status attempts outcome user { slackId } problem { code path } }
    pageInfo { hasNextPage endCursor } } } }`;
  const items: ItemAnswer[] = [];
  for (let after: string | null = null; ; ) {
    const { data, text }: Awaited<ReturnType<typeof app.call<ItemPages>>> = await app.call(
      query,
      { id, after },
      options,
    );
    if (!data?.operation) throw new Error(`items were not answered: ${text}`);
    items.push(...data.operation.items.nodes);
    if (!data.operation.items.pageInfo.hasNextPage) return items;
    after = data.operation.items.pageInfo.endCursor;
  }
}

interface ItemPages {
  readonly operation: {
    readonly items: {
      readonly nodes: ItemAnswer[];
      readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
    };
  } | null;
}

export const endedStatuses = ['SUCCEEDED', 'PARTIALLY_SUCCEEDED', 'FAILED', 'CANCELED'];

/** Asks again and again until the operation is as it should be. */
export async function untilOperation(
  app: TestApp,
  id: string,
  holds: (operation: OperationAnswer) => boolean = ({ status, counts }) =>
    endedStatuses.includes(status) && counts.running === 0,
  options?: { key?: string | null },
): Promise<OperationAnswer> {
  for (;;) {
    const operation = await readOperation(app, id, options);
    if (holds(operation)) return operation;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export function people(count: number, domain: string): { email: string }[] {
  return Array.from({ length: count }, (_, index) => ({ email: `p${index}@${domain}` }));
}
