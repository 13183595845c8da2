import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FaultKind } from '../../src/simulator/faults/fault';
import { LeakSearch } from '../support/leak-search';
import { MovedClock } from '../support/moved-clock';
import { problemFields } from '../support/operations';
import { sendRaw } from '../support/raw-http';
import { querySqlite } from '../support/sqlite-file';
import { lockFromOutside } from '../support/sqlite-locker';
import { startTestApp, type TestApp } from '../support/start-app';
import { TenantClient } from '../support/tenant-client';

let app: TestApp;
let tenant: TenantClient;
let clock: MovedClock;
/** Every answer of the gateway, headers included. */
let answers: string[];
let search: LeakSearch;

beforeEach(async () => {
  clock = new MovedClock();
  app = await startTestApp({
    clock,
    env: { ROLLCALL_SLACK_TIMEOUT_MS: '300', ROLLCALL_CALL_TIMEOUT_MS: '2500' },
  });
  tenant = await TenantClient.create(app);
  answers = [];
  search = new LeakSearch({ ...app.simulator.tokens, key: app.adminKey.slice(28), tenantKey: tenant.key.slice(28) });
});
afterEach(() => app?.stop());

async function send(query: string, variables: object = {}, extra: object = {}): Promise<string> {
  const { headers, text } = await sendRaw(`${app.url}/graphql`, {
    headers: { 'content-type': 'application/json', authorization: `Bearer ${tenant.key}` },
    body: [JSON.stringify({ query, variables, ...extra })],
  });
  answers.push(JSON.stringify(headers), text);
  return text;
}

const onConnection = (name: string, inputType: string, input: object) =>
  send(
    `mutation ($input: ${inputType}!) { ${name}(input: $input) {
      connection { id name externalId status issues(includeResolved: true) { code message remedy detail } token { hint fingerprint } }
      ${problemFields} requestId } }`,
    { input },
  );
const create = (token: string, input: object = {}) =>
  onConnection('createConnection', 'CreateConnectionInput', { name: 'Acme', environment: 'SANDBOX', token, ...input });

const idIn = (text: string) => /"id":"(con_[\w-]+)"/.exec(text)?.[1] ?? '';

/** Answers, logs, and every file of the data folder except the key itself. */
async function findLeaks(): Promise<string[]> {
  const names = (await readdir(app.directory)).filter((name) => name !== 'sealing.key');
  const files = await Promise.all(names.map((name) => readFile(join(app.directory, name), 'latin1')));
  const sources = { answers: answers.join('\n'), logs: app.logs.join(''), files: files.join('\n') };
  expect(names).toEqual(expect.arrayContaining(['rollcall.sqlite', 'rollcall.sqlite-wal']));
  return Object.entries(sources).flatMap(([source, text]) => search.in(text).map((leak) => `${source}: ${leak}`));
}

describe('the search for leaks', () => {
  it('finds a token in each form in which it could hide', () => {
    const token = app.simulator.tokens['business-admin'];
    const part = token.slice(30, 46);
    for (const leak of [
      token,
      part,
      Buffer.from(token).toString('base64'),
      Buffer.from(`a:${token}`).toString('base64url'),
      Buffer.from(`{"token":"${token}"}`).toString('base64'),
      Buffer.from(token).toString('hex'),
      encodeURIComponent(`"${token}"`),
    ]) {
      expect(search.in(`before ${leak} after`)).not.toEqual([]);
    }
    expect(search.in(`xoxp-…${token.slice(-4)} ${token.slice(0, 10)}`)).toEqual([]);
  });
});

describe('tokens', () => {
  it('are nowhere after every verb of a connection, with every token there is', async () => {
    for (const token of Object.values(app.simulator.tokens)) await create(token);
    const { data } = await tenant.call<{ connections: { nodes: { id: string }[] } }>(
      '{ connections { nodes { id } } }',
    );
    for (const { id } of data?.connections.nodes ?? []) {
      for (const token of Object.values(app.simulator.tokens))
        await onConnection('replaceToken', 'ReplaceTokenInput', { id, token });
      for (const name of ['verifyConnection', 'pauseConnection', 'resumeConnection']) {
        await onConnection(name, 'ConnectionIdInput', { id });
      }
      await onConnection('updateConnection', 'UpdateConnectionInput', { id, name: 'New' });
      await send(
        `query ($id: ID!) { connection(id: $id) { rateBudget { remaining } capabilities { action } users { nodes { id } } } }`,
        { id },
      );
      await onConnection('disconnect', 'DisconnectInput', { id });
    }
    expect(data?.connections.nodes).toHaveLength(2);

    expect(await findLeaks()).toEqual([]);
  });

  const faults: FaultKind[] = [
    { kind: 'status', status: 500 },
    { kind: 'status', status: 401, body: 'empty' },
    { kind: 'resetBefore' },
    { kind: 'resetAfter' },
    { kind: 'html200' },
    { kind: 'html502' },
    { kind: 'truncated' },
    { kind: 'garbage' },
    { kind: 'emptyBody' },
    { kind: 'hangBefore' },
    { kind: 'rateLimited', retryAfter: 99_999 },
  ];
  it('are nowhere after any failure of Slack', async () => {
    const id = idIn(await create(app.simulator.tokens['business-admin']));
    for (const fault of faults) app.simulator.faults.add({ ...fault, times: 9 });
    await Promise.all(
      faults.map(async () => {
        await create(app.simulator.tokens['enterprise-owner']);
        await onConnection('verifyConnection', 'ConnectionIdInput', { id });
        await send('query ($id: ID!) { connection(id: $id) { users { totalCount } } }', { id });
        await onConnection('replaceToken', 'ReplaceTokenInput', { id, token: app.simulator.tokens['business-owner'] });
      }),
    );
    expect(app.logs.some((line) => line.includes('connection issue opened'))).toBe(true);

    expect(await findLeaks()).toEqual([]);
  });

  it('are nowhere after a failure of the database', async () => {
    const id = idIn(await create(app.simulator.tokens['business-admin']));
    await querySqlite(app, 'ALTER TABLE access_tokens RENAME TO hidden_tokens');
    const broken = [
      await create(app.simulator.tokens['enterprise-owner']),
      await onConnection('verifyConnection', 'ConnectionIdInput', { id }),
      await onConnection('replaceToken', 'ReplaceTokenInput', { id, token: app.simulator.tokens['business-owner'] }),
    ];
    expect(broken.every((text) => text.includes('"code":"INTERNAL"'))).toBe(true);
    expect(app.logs.some((line) => line.includes('a request met a defect'))).toBe(true);
    await querySqlite(app, 'ALTER TABLE hidden_tokens RENAME TO access_tokens');
    await querySqlite(
      app,
      `CREATE TRIGGER refuse BEFORE INSERT ON access_tokens BEGIN SELECT RAISE(ABORT, 'refused'); END`,
    );
    expect(await create(app.simulator.tokens['enterprise-owner'])).toContain('"code":"INTERNAL"');
    await querySqlite(app, 'DROP TRIGGER refuse');

    expect(await create(app.simulator.tokens['enterprise-owner'])).toContain('"ACTIVE"');
    expect(await findLeaks()).toEqual([]);
  });

  it('are nowhere after a write that another process held up for too long', async () => {
    const release = await lockFromOutside(join(app.directory, 'rollcall.sqlite'));
    const text = await clock.hurried(() => create(app.simulator.tokens['business-admin']));
    await release();
    expect(text).toContain('"retryable":true');

    expect(await findLeaks()).toEqual([]);
  });

  it('are nowhere when they stand in a place where they do not belong', async () => {
    const token = app.simulator.tokens['business-owner'];
    const id = idIn(await create(app.simulator.tokens['business-admin']));
    const user = { email: 'ada.lovelace@northwind.example' };
    const person = (input: object) =>
      send(`mutation ($input: ProvisionUserInput!) { provisionUser(input: $input) { outcome ${problemFields} } }`, {
        input,
      });
    for (const place of ['name', 'externalId', 'environment', token]) await create('xoxp-1', { [place]: token });
    await create('xoxp-1', { name: { token }, externalId: [token] });
    await onConnection('updateConnection', 'UpdateConnectionInput', { id, name: token });
    await onConnection('updateConnection', 'UpdateConnectionInput', { id, externalId: `x ${token}` });
    await onConnection('verifyConnection', 'ConnectionIdInput', { id: token });
    await onConnection('replaceToken', 'ReplaceTokenInput', { id: token, token: { token } });
    await onConnection('replaceToken', 'ReplaceTokenInput', { id, token: [token, token] });
    await onConnection('disconnect', 'DisconnectInput', { id, revokeToken: token });
    await person({ connectionId: token, user });
    await person({ connectionId: id, user, idempotencyKey: token });
    await person({ connectionId: id, user, ifExists: token });
    await person({ connectionId: id, user: { email: token } });
    await person({ connectionId: id, user: { ...user, userName: token } });
    await person({ connectionId: id, user: { ...user, startDate: token } });
    await person({ connectionId: id, user: { ...user, photoUrl: token } });
    await person({ connectionId: id, user: { ...user, guest: token } });
    await person({ connectionId: id, user: token });
    await send(
      'query ($a: String, $b: Int, $f: ConnectionFilter) { connections(first: $b, after: $a, filter: $f) { totalCount } }',
      { a: token, b: token, f: { status: [token] } },
    );
    await send(
      'query ($a: String) { connections(after: $a, filter: { nameContains: $a, externalId: $a }) { totalCount } }',
      { a: token },
    );
    await send('query ($id: ID!) { node(id: $id) { id } connection(id: $id) { id } }', { id: token });
    await send('query ($c: ID!, $id: ID!) { connection(id: $c) { user(by: { slackId: $id }) { id } } }', {
      c: id,
      id: token,
    });
    await send(
      'mutation ($n: String!) { createTenant(input: { name: $n }) { problems { message } } createApiKey(input: { name: $n, permissions: [ADMIN] }) { problems { message } } }',
      { n: token },
    );
    await send(
      `mutation { createConnection(input: { name: "x", environment: "${token}", token: "x" }) { requestId } }`,
    );
    await send(
      `mutation { createConnection(input: { name: "x", environment: SANDBOX, token: ${token} }) { requestId } }`,
    );
    await send(
      `mutation { createConnection(input: { name: "x", environment: SANDBOX, token: { a: "${token}" } }) { requestId } }`,
    );
    await send(`mutation { createConnection(input: { "${token}": 1 }) { requestId } }`);
    await send(`{ viewer(key: "${token}") { name } } # ${token}`);
    await send(`{ viewer { name } } ${token}`);
    await send(`{ ${token} }`);
    await send(token);
    await send('query A { viewer { name } }', {}, { operationName: token });
    await send('{ viewer { name } }', {}, { extensions: { [token]: token } });

    expect(await findLeaks()).toEqual([]);
  });

  it('are nowhere when they stand in a header, an address or a broken body', async () => {
    const token = app.simulator.tokens['business-owner'];
    const json = { 'content-type': 'application/json' };
    const requests: [string, Parameters<typeof sendRaw>[1]][] = [
      [
        '/graphql',
        { headers: { ...json, authorization: `Bearer ${token}` }, body: ['{"query":"{ viewer { name } }"}'] },
      ],
      [
        '/graphql',
        {
          headers: { ...json, authorization: token, cookie: `d=${token}`, 'x-request-id': token, referer: token },
          body: ['{}'],
        },
      ],
      ['/graphql', { headers: { 'content-type': `application/json; charset=${token}` }, body: ['{}'] }],
      ['/graphql', { headers: { 'content-type': `text/${token}` }, body: ['{}'] }],
      ['/graphql', { headers: json, body: [`{"query":"${token}`] }],
      ['/graphql', { headers: json, body: [token] }],
      ['/graphql', { headers: json, body: [`{"__proto__":"${token}"}`] }],
      ['/graphql', { headers: json, body: [`{"query":"{ viewer { name } }","variables":"${token}"}`] }],
      [`/graphql?query=${token}`, { method: 'GET', headers: { 'apollo-require-preflight': '1' } }],
      [`/graphql?query=query&variables=${token}`, { method: 'GET', headers: { 'apollo-require-preflight': '1' } }],
      [`/graphql/${token}`, { method: 'GET' }],
      [`/${token}?${token}=${token}`, { method: 'GET' }],
      [`/playground/assets/${token}`, { method: 'GET' }],
      [`/healthz?${token}`, { method: 'GET' }],
    ];
    for (const [path, options] of requests) {
      const { headers, text } = await sendRaw(`${app.url}${path}`, options);
      answers.push(JSON.stringify(headers), text);
    }

    expect(await findLeaks()).toEqual([]);
  });
});
