import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { ApiKeyId, Caller, TenantId } from '../../../src/domain/access/access';
import { UpstreamUnavailable } from '../../../src/domain/errors';
import { noCounts, type Operation } from '../../../src/domain/operations/operation';
import type { OperationService, StreamedOperation } from '../../../src/domain/operations/operation.service';
import type { ItemWork } from '../../../src/domain/operations/operation-item';
import type { OperationQueryService } from '../../../src/domain/operations/operation-query.service';
import { registerOperationFiles } from '../../../src/http/operation.route';
import { RunningCalls } from '../../../src/http/running-calls';
import { createHttpServer } from '../../../src/http/server';
import type { Logger } from '../../../src/shared/logger';
import type { RawAnswer } from '../../support/raw-http';
import { until } from '../../support/until';

const bodyTimeoutMs = 300;
const limits = { idleMs: 1_000, totalMs: 2_500, mostBytes: 256 * 1024 };
const path = '/operations/upload?connectionId=con_1&kind=PROVISION_USERS';

let server: FastifyInstance;
let url: string;
const defects: object[] = [];
const stopping = new AbortController();
/** What each upload gave, once it was read to its end. */
const read: { items: ItemWork[]; input: unknown }[] = [];
let underWay = 0;

const operations = {
  async startStream(_caller: Caller, { items, inputOf }: StreamedOperation): Promise<Operation> {
    underWay += 1;
    try {
      const works: ItemWork[] = [];
      for await (const work of items) works.push(work);
      read.push({ items: works, input: inputOf() });
      return { id: 'opr_1', kind: 'PROVISION_USERS', status: 'QUEUED', counts: noCounts } as unknown as Operation;
    } finally {
      underWay -= 1;
    }
  },
} as unknown as OperationService;

function callerOf(authorization = ''): Caller {
  const tenantId = authorization.replace('Bearer ', '') as TenantId;
  const createdAt = new Date(0);
  return {
    tenant: { id: tenantId, name: 'Some', isOperator: false, createdAt },
    apiKey: { id: 'key_1' as ApiKeyId, tenantId, name: 'Some', permissions: ['users:write'], createdAt },
    requestId: 'req_1',
    signal: stopping.signal,
    deadlineAt: Number.POSITIVE_INFINITY,
  };
}

beforeAll(async () => {
  const logger: Logger = { debug() {}, info() {}, warn() {}, error: (fields) => void defects.push(fields) };
  const calls = new RunningCalls();
  server = createHttpServer({ logger, calls, playgroundRoot: undefined, assertReady: async () => {}, bodyTimeoutMs });
  server.post('/other', async () => ({}));
  registerOperationFiles(server, {
    ...{ calls, operations, limits },
    queries: {} as OperationQueryService,
    authenticate: async (authorization) => ({ caller: callerOf(authorization) }),
  });
  url = await server.listen({ host: '127.0.0.1', port: 0 });
});
beforeEach(() => {
  read.length = 0;
});
afterAll(async () => {
  server.server.closeAllConnections();
  await server.close();
  expect(defects).toEqual([]);
});

interface Sending {
  readonly answer: Promise<RawAnswer>;
  send(text: string): void;
  end(): void;
  leave(): void;
}

/** A body of which each piece is sent when the test wants it. */
function open(target = path, tenant = 'one', type = 'application/x-ndjson'): Sending {
  const headers = { authorization: `Bearer ${tenant}`, 'content-type': type };
  const outgoing = request(`${url}${target}`, { method: 'POST', headers, agent: false });
  outgoing.flushHeaders();
  const answer = new Promise<RawAnswer>((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += String(chunk);
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
  });
  return {
    answer,
    send: (text) => void outgoing.write(text),
    end: () => void outgoing.end(),
    leave: () => void outgoing.destroy(),
  };
}

const row = (index: number) => `{"email":"p${index}@example.com"}\n`;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const problemOf = ({ text }: RawAnswer) => {
  const [error] = (JSON.parse(text) as { errors: { extensions: Record<string, unknown> }[] }).errors;
  return error?.extensions;
};

describe('an upload', () => {
  it('may take longer than any other body, as long as something comes', async () => {
    const sending = open();
    for (let index = 0; index < 8; index += 1) {
      sending.send(row(index));
      await pause(100);
    }
    sending.end();

    expect((await sending.answer).status).toBe(202);
    expect(read[0]?.items).toHaveLength(8);
  });

  it('is cut when nothing comes any more, and its client is told', async () => {
    const sending = open();
    sending.send(row(0));
    const answer = await sending.answer;

    expect(answer.status).toBe(408);
    expect(problemOf(answer)).toMatchObject({ code: 'INVALID_INPUT', retryable: true, problemPath: ['body'] });
    expect(read).toEqual([]);
  });

  it('is cut when it takes too long altogether', async () => {
    const sending = open();
    const startedAt = performance.now();
    const dripping = setInterval(() => sending.send('\n'), 50);
    const answer = await sending.answer.finally(() => clearInterval(dripping));
    sending.leave();

    expect(answer.status).toBe(408);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(limits.totalMs - 50);
  });

  it('is cut when it is too large, although its length was not told', async () => {
    const sending = open();
    for (let index = 0; index < 9; index += 1) sending.send(`${' '.repeat(32 * 1024)}\n`);
    const answer = await sending.answer;
    sending.leave();

    expect(answer.status).toBe(413);
    expect(problemOf(answer)).toMatchObject({ code: 'INVALID_INPUT', retryable: false });
  });

  it('is refused while it is still being sent, in a way that the client hears', async () => {
    const sending = open();
    sending.send(`nonsense\n${row(0).repeat(2_000)}`);
    const answer = await sending.answer;
    sending.end();

    expect(answer.status).toBe(400);
    expect(problemOf(answer)).toMatchObject({ code: 'INVALID_INPUT', retryable: false });
    const unknown = open(path, 'one', 'application/pdf');
    unknown.send('x'.repeat(1_000));
    expect((await unknown.answer).status).toBe(400);
    unknown.leave();
  });

  it('gives its place back, of which a tenant has four', async () => {
    const four = Array.from({ length: 4 }, () => open());
    await until(() => underWay === 4);
    const fifth = open();
    expect((await fifth.answer).headers['retry-after']).toBe('10');
    expect((await fifth.answer).status).toBe(429);
    fifth.leave();
    const others = open(path, 'two');
    others.send(row(0));
    others.end();
    expect((await others.answer).status).toBe(202);

    const [first, ...rest] = four;
    first?.leave();
    await expect(first?.answer).rejects.toThrow();
    await until(() => underWay === 3);
    const again = open();
    again.send(row(0));
    again.end();
    expect((await again.answer).status).toBe(202);
    for (const sending of rest) sending.end();
    expect((await Promise.all(rest.map(({ answer }) => answer))).map(({ status }) => status)).toEqual([202, 202, 202]);
  });

  it('is known by its bytes', async () => {
    const bodies = [row(1) + row(2), row(1) + row(2), row(2) + row(1)];
    for (const body of bodies) {
      const sending = open();
      for (const piece of body.split(/(?<=@)/)) sending.send(piece);
      sending.end();
      await sending.answer;
    }
    const [first, second, third] = read.map(({ input }) => input);
    expect(first).toEqual({
      kind: 'PROVISION_USERS',
      settings: { ifExists: 'UPDATE' },
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(second).toEqual(first);
    expect(third).not.toEqual(first);
  });
});

describe('another body', () => {
  it.each(['/other', '/nowhere'])('is cut at %s when it is not there in time', async (target) => {
    const sending = open(target, 'one', 'application/json');
    sending.send('{"');
    const answer = await sending.answer;

    expect([answer.status, problemOf(answer)?.code]).toEqual(
      target === '/other' ? [408, 'INVALID_INPUT'] : [expect.any(Number), expect.any(String)],
    );
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  it.each(['GET /healthz', 'POST /%zz'])(
    'holds no connection of %s, whose answer does not wait for it',
    async (line) => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      socket.write(`${line} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`);
      let received = '';
      socket.on('data', (chunk: Buffer) => {
        received += String(chunk);
      });
      await once(socket, 'close');

      expect(received).toMatch(/^HTTP\/1.1 (200|400) /);
    },
  );
});

describe('a gateway that stops', () => {
  it('waits for no upload', async () => {
    const sending = open();
    sending.send(row(0));
    await until(() => underWay === 1);
    stopping.abort(new UpstreamUnavailable('The gateway is stopping.'));
    const answer = await sending.answer;
    sending.leave();

    expect(answer.status).toBe(503);
    expect(problemOf(answer)).toMatchObject({ retryable: true });
  });
});
