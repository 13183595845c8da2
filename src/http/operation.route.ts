import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../domain/access/access';
import type { ConnectionId } from '../domain/connections/connection';
import { type IfExists, ifExistsPolicies } from '../domain/directory/user';
import { AppError, type ErrorCode, InvalidInput, NotFound, RateLimited, UpstreamUnavailable } from '../domain/errors';
import type { Operation, OperationId } from '../domain/operations/operation';
import type { OperationService } from '../domain/operations/operation.service';
import type { ItemWork, OperationItem } from '../domain/operations/operation-item';
import type { OperationQueryService } from '../domain/operations/operation-query.service';
import { deprovisionWorkOf, provisionWorkOf } from '../domain/operations/row-item';
import type { GraphQLContext } from '../graphql/context';
import { limitBodyTime } from './body-time';
import { queryOf, single } from './page-scope';
import { csvRows, jsonRows, type Row } from './row-reader';
import type { RunningCalls } from './running-calls';
import { StreamSlots } from './stream-slots';
import { LONGEST_UPLOAD_MS, UploadBody, UploadEnded, type UploadLimits } from './upload-body';

export interface OperationRouteParts {
  readonly operations: OperationService;
  readonly queries: OperationQueryService;
  readonly calls: RunningCalls;
  readonly authenticate: (
    authorization: string | undefined,
    requestId: string,
  ) => Promise<GraphQLContext['authentication']>;
  readonly limits?: Partial<UploadLimits>;
}

const defaultLimits: UploadLimits = { idleMs: 10_000, totalMs: LONGEST_UPLOAD_MS, mostBytes: 256 * 1024 * 1024 };
export const MOST_ROWS = 100_000;
/** Under way at once in this process: each may last for minutes. */
const slotCounts = { streams: 32, streamsPerTenant: 4 };
const SLOT_RETRY_SECONDS = 10;
/** For a client that still sends what nobody reads any more, to get the answer. */
const LEFTOVER_MS = 5_000;

const jsonTypes = ['application/jsonl', 'application/x-ndjson', 'application/x-jsonlines', 'application/jsonlines'];
const kinds = { PROVISION_USERS: provisionWorkOf, DEPROVISION_USERS: deprovisionWorkOf } as const;
const statuses: Readonly<Partial<Record<ErrorCode, number>>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  IDEMPOTENCY_CONFLICT: 422,
  CONNECTION_NOT_READY: 409,
  RATE_LIMITED: 429,
};

/**
 * `POST /operations/upload?connectionId=…&kind=PROVISION_USERS|DEPROVISION_USERS[&ifExists=…]`: a file of people as JSON lines
 * (application/x-ndjson) or CSV (text/csv), read as fast as it is stored. 202 with the operation. With a header `Idempotency-Key`
 * (draft-ietf-httpapi-idempotency-key-header) the same file answers the same operation, and another file 422.
 * `GET /operations/<id>/results.jsonl`: what became of each item, one a line, read while it is sent.
 * Both take the API key in the Authorization header; failures have the shape of a GraphQL answer.
 */
export function registerOperationFiles(app: FastifyInstance, parts: OperationRouteParts): void {
  app.register(async (scope) => {
    // The body is left alone: it is read a piece at a time.
    scope.removeAllContentTypeParsers();
    const limits = { ...defaultLimits, ...parts.limits };
    const slots = new StreamSlots(slotCounts);
    const bodyLimit = limits.mostBytes;
    scope.addContentTypeParser('*', { bodyLimit }, (_request, body, done) => done(null, body));
    scope.post('/operations/upload', { bodyLimit, config: { timesItsBody: true } }, (request, reply) =>
      parts.calls.run(() => answering(request, reply, () => upload(parts, { limits, slots }, request, reply))),
    );
    scope.get('/operations/:id/results.jsonl', (request, reply) =>
      answering(request, reply, () => download(parts, request, reply)),
    );
  });
}

async function upload(
  parts: OperationRouteParts,
  { limits, slots }: { limits: UploadLimits; slots: StreamSlots },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  if (parts.calls.isDraining) throw new UpstreamUnavailable('The gateway is stopping. Try again.');
  const known = await callerOf(parts, request);
  // The time of a call begins when its input is there.
  const caller: Caller = { ...known, deadlineAt: known.deadlineAt + limits.totalMs };
  const query = queryOf(request);
  const kind = oneOf(query, 'kind', ['PROVISION_USERS', 'DEPROVISION_USERS'] as const);
  if (!kind) throw new InvalidInput('Say in `kind` what to do with the people.', { path: ['kind'] });
  const ifExists: IfExists | undefined = oneOf(query, 'ifExists', ifExistsPolicies);
  const settings = kind === 'PROVISION_USERS' ? { ifExists: ifExists ?? 'UPDATE' } : {};
  const rowsOf = readerOf(request);
  const leave = slots.take(caller.tenant.id);
  if (!leave) throw new RateLimited('Too many uploads are under way.', SLOT_RETRY_SECONDS);
  const body = new UploadBody(request.body as Readable, limits, caller.signal);
  try {
    const operation = await parts.operations.startStream(caller, {
      connectionId: (single(query, 'connectionId') ?? '') as ConnectionId,
      idempotencyKey: keyOf(request),
      kind,
      action: 'upload',
      settings,
      inputOf: () => ({ kind, settings, sha256: body.digest() }),
      items: worksOf(rowsOf(body.pieces), kinds[kind]),
      mostItems: MOST_ROWS,
      path: ['body'],
    });
    return reply.code(202).send({ operation: summaryOf(operation) });
  } finally {
    body.close();
    leave();
  }
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

function readerOf({ headers }: FastifyRequest): (pieces: AsyncIterable<Buffer>) => AsyncIterable<Row> {
  const [type = ''] = (headers['content-type'] ?? '').toLowerCase().split(';');
  if (type.trim() === 'text/csv') return csvRows;
  if (jsonTypes.includes(type.trim())) return jsonRows;
  throw new InvalidInput('Send the people as application/x-ndjson or as text/csv.', { path: ['content-type'] });
}

/** A string of RFC 8941, as the draft wants it, or the bare key, as most clients send it. */
function keyOf({ headers }: FastifyRequest): string | undefined {
  const given = headers['idempotency-key'];
  if (typeof given !== 'string') return undefined;
  const [, quoted] = /^"((?:[^"\\]|\\["\\])*)"$/.exec(given.trim()) ?? [];
  return quoted === undefined ? given.trim() : quoted.replace(/\\(["\\])/g, '$1');
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
  request: FastifyRequest,
  reply: FastifyReply,
  work: () => Promise<FastifyReply>,
): Promise<FastifyReply> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { id: requestId } = request;
    const { code, message, remedy, retryable } = error;
    const extensions = { code, remedy, retryable, problemPath: pathOf(error), requestId };
    if (error instanceof RateLimited) reply.header('retry-after', error.retryAfterSeconds);
    const answer = { errors: [{ message, extensions }] };
    limitBodyTime(request, reply, { timeoutMs: LEFTOVER_MS, answer });
    return reply.code(statusOf(error)).send(answer);
  }
}

function statusOf(error: AppError): number {
  if (error instanceof UploadEnded) return error.status;
  return statuses[error.code] ?? (error.retryable ? 503 : 400);
}

/** Here the input is no argument: it is the query, the headers and the body. */
function pathOf({ path }: AppError): readonly string[] | undefined {
  const [first, ...rest] = path ?? [];
  if (first !== 'input') return path;
  return rest[0] === 'idempotencyKey' ? ['idempotency-key'] : rest;
}
