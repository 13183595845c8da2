import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../domain/access/access';
import type { ConnectionId } from '../domain/connections/connection';
import { type IfExists, ifExistsPolicies } from '../domain/directory/user';
import { AppError, InvalidInput, NotFound, UpstreamUnavailable } from '../domain/errors';
import type { Operation, OperationId } from '../domain/operations/operation';
import type { OperationService } from '../domain/operations/operation.service';
import type { ItemWork, OperationItem } from '../domain/operations/operation-item';
import type { OperationQueryService } from '../domain/operations/operation-query.service';
import { deprovisionWorkOf, provisionWorkOf } from '../domain/operations/row-item';
import type { GraphQLContext } from '../graphql/context';
import { queryOf, single } from './page-scope';
import { csvRows, jsonRows, type Row } from './row-reader';
import type { RunningCalls } from './running-calls';

export interface OperationRouteParts {
  readonly operations: OperationService;
  readonly queries: OperationQueryService;
  readonly calls: RunningCalls;
  readonly authenticate: (
    authorization: string | undefined,
    requestId: string,
  ) => Promise<GraphQLContext['authentication']>;
}

const LARGEST_UPLOAD = 256 * 1024 * 1024;
export const MOST_ROWS = 100_000;

const jsonTypes = ['application/jsonl', 'application/x-ndjson', 'application/x-jsonlines', 'application/jsonlines'];
const kinds = { PROVISION_USERS: provisionWorkOf, DEPROVISION_USERS: deprovisionWorkOf } as const;
const statuses: Readonly<Record<string, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  IDEMPOTENCY_CONFLICT: 409,
  CONNECTION_NOT_READY: 409,
};

/**
 * `POST /operations/upload?connectionId=…&kind=PROVISION_USERS|DEPROVISION_USERS[&ifExists=…]`: a file of people as JSON lines
 * (application/x-ndjson) or CSV (text/csv), read as fast as it is stored. 202 with the operation.
 * `GET /operations/<id>/results.jsonl`: what became of each item, one a line, read while it is sent.
 * Both take the API key in the Authorization header; failures have the shape of a GraphQL answer.
 */
export function registerOperationFiles(app: FastifyInstance, parts: OperationRouteParts): void {
  app.register(async (scope) => {
    // The body is left alone: it is read a piece at a time.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { bodyLimit: LARGEST_UPLOAD }, (_request, body, done) => done(null, body));
    scope.post('/operations/upload', { bodyLimit: LARGEST_UPLOAD }, (request, reply) =>
      parts.calls.run(() => answering(request, reply, () => upload(parts, request, reply))),
    );
    scope.get('/operations/:id/results.jsonl', (request, reply) =>
      answering(request, reply, () => download(parts, request, reply)),
    );
  });
}

async function upload(parts: OperationRouteParts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  if (parts.calls.isDraining) throw new UpstreamUnavailable('The gateway is stopping. Try again.');
  const caller = await callerOf(parts, request);
  const query = queryOf(request);
  const kind = oneOf(query, 'kind', ['PROVISION_USERS', 'DEPROVISION_USERS'] as const);
  if (!kind) throw new InvalidInput('Say in `kind` what to do with the people.', { path: ['kind'] });
  const ifExists: IfExists | undefined = oneOf(query, 'ifExists', ifExistsPolicies);
  const operation = await parts.operations.start(caller, {
    connectionId: (single(query, 'connectionId') ?? '') as ConnectionId,
    kind,
    action: 'upload',
    settings: kind === 'PROVISION_USERS' ? { ifExists: ifExists ?? 'UPDATE' } : {},
    input: {},
    items: worksOf(rowsOf(request), kinds[kind]),
    mostItems: MOST_ROWS,
    path: ['body'],
  });
  return reply.code(202).send({ operation: summaryOf(operation) });
}

async function download(
  parts: OperationRouteParts,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const caller = await callerOf(parts, request);
  const { id } = request.params as { id: string };
  const operation = await parts.queries.find(caller, id as OperationId);
  if (!operation) throw new NotFound('There is no such operation.');
  return reply
    .type('application/x-ndjson; charset=utf-8')
    .header('cache-control', 'no-store')
    .send(Readable.from(resultLines(parts.queries.allItems(caller, operation))));
}

async function callerOf({ authenticate }: OperationRouteParts, { headers, id }: FastifyRequest): Promise<Caller> {
  const authentication = await authenticate(headers.authorization, id);
  if ('error' in authentication) throw authentication.error;
  return authentication.caller;
}

function rowsOf({ headers, body }: FastifyRequest): AsyncIterable<Row> {
  const [type = ''] = (headers['content-type'] ?? '').toLowerCase().split(';');
  const pieces = body as AsyncIterable<Buffer>;
  if (type.trim() === 'text/csv') return csvRows(pieces);
  if (jsonTypes.includes(type.trim())) return jsonRows(pieces);
  throw new InvalidInput('Send the people as application/x-ndjson or as text/csv.', { path: ['content-type'] });
}

async function* worksOf(
  rows: AsyncIterable<Row>,
  workOf: (row: Row, number: number) => ItemWork,
): AsyncGenerator<ItemWork, void, void> {
  let number = 0;
  for await (const row of rows) {
    number += 1;
    yield workOf(row, number);
  }
}

async function* resultLines(items: AsyncIterable<OperationItem>): AsyncGenerator<string, void, void> {
  for await (const { index, action, subject, status, attempts, outcome, user, problem } of items) {
    const { code, message, remedy, retryable } = problem ?? {};
    const line = { index, action, subject, status, attempts, outcome, slackId: user?.slackId };
    yield `${JSON.stringify(problem ? { ...line, problem: { code, message, remedy, retryable } } : line)}\n`;
  }
}

function summaryOf({ id, kind, status, counts, createdAt }: Operation): object {
  return { id, kind, status, counts, createdAt };
}

function oneOf<Word extends string>(
  query: ReturnType<typeof queryOf>,
  name: string,
  words: readonly Word[],
): Word | undefined {
  const given = single(query, name);
  if (given === undefined) return undefined;
  const word = words.find((candidate) => candidate === given);
  if (word === undefined) throw new InvalidInput(`\`${name}\` must be one of ${words.join(', ')}.`, { path: [name] });
  return word;
}

async function answering(
  { id: requestId }: FastifyRequest,
  reply: FastifyReply,
  work: () => Promise<FastifyReply>,
): Promise<FastifyReply> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { code, message, remedy, retryable, path } = error;
    const extensions = { code, remedy, retryable, problemPath: path, requestId };
    // What is left of a body that nobody reads any more must not keep the connection.
    reply.header('connection', 'close');
    return reply.code(statuses[code] ?? (retryable ? 503 : 400)).send({ errors: [{ message, extensions }] });
  }
}
