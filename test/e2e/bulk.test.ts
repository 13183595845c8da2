import { changeOperation, people, readItems, readOperation, startOperation, untilOperation } from '../support/bulk';
import { type FaultyWorld, startFaultyWorld } from '../support/faults';
import { changeConnection, readConnection } from '../support/operations';
import { calmDown, holdersOf, isScim, peopleOf, seededPerson } from '../support/people';
import { createKey, issueKey } from '../support/tenants';

describe('work on many people', () => {
  let world: FaultyWorld;
  let connectionId: string;

  beforeAll(async () => {
    world = await startFaultyWorld();
    connectionId = world.connectionId;
  });
  afterEach(() => calmDown(world.simulator));
  afterAll(() => world.stop());

  const begin = (name: string, input: object, options?: { key?: string }) =>
    startOperation(world.app, name, { connectionId, ...input }, options);
  const ended = (id: string) => untilOperation(world.app, id);
  const holder = (email: string) => holdersOf(world.simulator, email)[0];
  const slow = () => world.simulator.faults.add({ kind: 'latency', ms: 40, times: 'always' });
  const applied = () => world.simulator.requests.filter(({ isApplied }) => isApplied).length;

  it('gives accounts to everybody, tells of each, and ends', async () => {
    const begun = await begin('provisionUsers', { users: people(20, 'many.example') });
    expect(begun).toMatchObject({ kind: 'PROVISION_USERS', counts: { total: 20 } });

    expect(await ended(begun.id)).toMatchObject({
      status: 'SUCCEEDED',
      counts: { total: 20, pending: 0, running: 0, succeeded: 20, failed: 0, skipped: 0, held: 0 },
      estimatedFinishAt: null,
    });
    const items = await readItems(world.app, begun.id);
    expect(items.map(({ index }) => index)).toEqual(Array.from({ length: 20 }, (_, index) => index));
    for (const { subject, status, outcome, user } of items) {
      expect({ status, outcome }).toEqual({ status: 'SUCCEEDED', outcome: 'CREATED' });
      expect(holdersOf(world.simulator, subject).map(({ id }) => id)).toEqual([user?.slackId]);
    }
    const query = `query ($id: ID!, $c: ID!) { node(id: $id) { ... on Operation { status connection { id } } }
      connection(id: $c) { operations(first: 1) { totalCount nodes { id } } } }`;
    const { data } = await world.app.call(query, { id: begun.id, c: connectionId });
    expect(data).toMatchObject({
      node: { status: 'SUCCEEDED', connection: { id: connectionId } },
      connection: { operations: { totalCount: 1, nodes: [{ id: begun.id }] } },
    });
  });

  it('is begun once under an idempotency key', async () => {
    const input = { users: people(2, 'once.example'), idempotencyKey: 'once' };
    const [first, second] = await Promise.all([begin('provisionUsers', input), begin('provisionUsers', input)]);
    const third = await begin('provisionUsers', input);
    expect([second.id, third.id]).toEqual([first.id, first.id]);

    const other = await changeOperation(world.app, 'provisionUsers', {
      ...{ connectionId, ...input },
      users: people(3, 'once.example'),
    });
    expect(other).toMatchObject({ operation: null, problems: [{ code: 'IDEMPOTENCY_CONFLICT' }] });
    await ended(first.id);
  });

  it('is refused when there is nothing to do, or the connection is gone', async () => {
    const empty = await changeOperation(world.app, 'provisionUsers', { connectionId, users: [] });
    expect(empty.problems).toMatchObject([{ code: 'INVALID_INPUT', path: ['input', 'users'] }]);
    const unknown = await changeOperation(world.app, 'deprovisionUsers', {
      connectionId: 'con_AAAAAAAAAAAAAAAAAAAAAA',
      users: [{ slackId: 'U1' }],
    });
    expect(unknown.problems).toMatchObject([{ code: 'NOT_FOUND' }]);
  });

  it('goes on past what cannot succeed, and tries that again when asked to', async () => {
    const users = people(12, 'poison.example');
    await ended((await begin('provisionUsers', { users })).id);
    const selectors = users.map(({ email }) => ({ slackId: holder(email)?.id }));
    const [bad, refused] = [selectors[3]?.slackId, selectors[7]?.slackId];
    world.simulator.faults.add({ kind: 'status', status: 500, times: 'always', match: { path: `/Users/${bad}$` } });
    const refusal = { kind: 'slackError', error: 'user_update_failed', times: 'always' } as const;
    world.simulator.faults.add({ ...refusal, match: { method: 'PATCH', path: `/Users/${refused}$` } });

    const { id } = await begin('deprovisionUsers', { users: selectors });
    const { status, counts } = await ended(id);

    expect({ status, succeeded: counts.succeeded, failed: counts.failed }).toEqual({
      ...{ status: 'PARTIALLY_SUCCEEDED', succeeded: 10, failed: 2 },
    });
    const items = await readItems(world.app, id);
    expect(items[3]).toMatchObject({ status: 'FAILED', attempts: 4, outcome: 'FAILED' });
    expect(items[7]).toMatchObject({ status: 'FAILED', attempts: 1, outcome: 'FAILED' });
    expect(await readConnection(world.app, connectionId)).toMatchObject({ status: 'ACTIVE' });

    world.simulator.faults.clear();
    await changeOperation(world.app, 'retryFailedItems', { id });
    expect(await ended(id)).toMatchObject({ status: 'SUCCEEDED', counts: { succeeded: 12, failed: 0 } });
    expect(users.map(({ email }) => holder(email)?.active)).toEqual(users.map(() => false));
  });

  it('keeps the order of what concerns one person, within an operation and over several', async () => {
    slow();
    const email = 'order@one.example';
    const titles = ['First', 'Second', 'Third', 'Last'];
    const made = await begin('provisionUsers', {
      users: [...titles.map((title) => ({ email, title })), ...people(6, 'order.example')],
    });
    const left = await begin('deprovisionUsers', { users: [{ email }] });
    const back = await begin('provisionUsers', { users: [{ email, title: 'Back' }] });
    const gone = await begin('deprovisionUsers', { users: [{ email: email.toUpperCase() }] });

    for (const { id } of [gone, back, left, made]) expect(await ended(id)).toMatchObject({ status: 'SUCCEEDED' });
    const outcomes = (await readItems(world.app, made.id)).slice(0, 4).map(({ outcome }) => outcome);
    expect(outcomes).toEqual(['CREATED', 'UPDATED', 'UPDATED', 'UPDATED']);
    expect((await readItems(world.app, back.id))[0]?.outcome).toBe('REACTIVATED');
    expect(holder(email)).toMatchObject({ title: 'Back' });
    expect((await readItems(world.app, gone.id))[0]?.outcome).toBe('DEACTIVATED');
  });

  it('pauses, is resumed, is canceled, and is continued', async () => {
    slow();
    const { id } = await begin('provisionUsers', { users: people(60, 'course.example') });
    const paused = await changeOperation(world.app, 'pauseOperation', { id });
    expect(paused.operation).toMatchObject({ status: 'PAUSED', pausedBecause: 'REQUESTED', estimatedFinishAt: null });
    const still = await untilOperation(world.app, id, ({ counts }) => counts.running === 0);
    const before = applied();
    expect(still.counts.pending).toBeGreaterThan(0);

    const resumed = await changeOperation(world.app, 'resumeOperation', { id });
    expect(resumed.operation).toMatchObject({ pausedBecause: null });
    await untilOperation(world.app, id, ({ counts }) => counts.succeeded > still.counts.succeeded);
    expect(applied()).toBeGreaterThan(before);
    const canceled = await changeOperation(world.app, 'cancelOperation', { id });
    expect(canceled.operation).toMatchObject({ status: 'CANCELED', counts: { pending: 0 } });
    const after = await ended(id);
    expect(after.counts.succeeded + after.counts.skipped).toBe(60);
    expect(after.counts.skipped).toBeGreaterThan(0);
    expect((await changeOperation(world.app, 'retryFailedItems', { id })).problems).toMatchObject([
      { code: 'CONFLICT' },
    ]);

    await changeOperation(world.app, 'resumeOperation', { id });
    expect(await ended(id)).toMatchObject({ status: 'SUCCEEDED', counts: { succeeded: 60, skipped: 0 } });
    expect(
      peopleOf(world.simulator).filter(({ primaryEmail }) => primaryEmail?.endsWith('@course.example')),
    ).toHaveLength(60);
    const late = await changeOperation(world.app, 'cancelOperation', { id });
    expect(late.problems).toMatchObject([{ code: 'OPERATION_NOT_CANCELABLE' }]);
  });

  it('waits while the token is dead, and goes on by itself with a new one, making nobody twice', async () => {
    slow();
    const { id } = await begin('provisionUsers', { users: people(24, 'revoked.example') });
    await untilOperation(world.app, id, ({ counts }) => counts.succeeded > 3);
    const grant = world.simulator.world.grants.get('business-admin');
    if (!grant) throw new Error('There is no such grant');
    grant.isRevoked = true;

    const paused = await untilOperation(
      world.app,
      id,
      ({ status, counts }) => status === 'PAUSED' && counts.running === 0,
    );
    expect(paused).toMatchObject({
      pausedBecause: 'CONNECTION',
      problem: { code: 'TOKEN_REVOKED' },
      counts: { failed: 0 },
    });
    expect(await readConnection(world.app, connectionId)).toMatchObject({ status: 'REAUTHORIZATION_REQUIRED' });
    const sent = world.simulator.requests.filter(isScim).length;

    const token = world.simulator.tokens['business-owner'];
    const replaced = await changeConnection(world.app, 'replaceToken', { id: connectionId, token });
    expect(replaced.problems).toEqual([]);
    expect(await ended(id)).toMatchObject({ status: 'SUCCEEDED', counts: { succeeded: 24, failed: 0 } });
    expect(world.simulator.requests.filter(isScim).length).toBeGreaterThan(sent);
    expect(
      peopleOf(world.simulator).filter(({ primaryEmail }) => primaryEmail?.endsWith('@revoked.example')),
    ).toHaveLength(24);
    grant.isRevoked = false;
  });

  it('stops with the key that began it, and goes on with the key of whoever resumes it', async () => {
    slow();
    const issued = await issueKey(world.app, { name: 'Short', permissions: ['USERS_WRITE', 'USERS_READ'] });
    const { id } = await begin('provisionUsers', { users: people(30, 'key.example') }, { key: issued.secret ?? '' });
    const revoke = 'mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { problems { code } } }';
    await world.app.call(revoke, { id: issued.apiKey?.id });

    const paused = await untilOperation(world.app, id, ({ status }) => status === 'PAUSED' || status === 'SUCCEEDED');
    expect(paused).toMatchObject({ status: 'PAUSED', pausedBecause: 'API_KEY', problem: { code: 'FORBIDDEN' } });
    await changeOperation(world.app, 'resumeOperation', { id });
    expect(await ended(id)).toMatchObject({ status: 'SUCCEEDED' });
  });

  it('is handed back when the gateway stops, and goes on after the next start', async () => {
    slow();
    const { id } = await begin('provisionUsers', { users: people(24, 'restart.example') });
    await untilOperation(world.app, id, ({ counts }) => counts.succeeded > 3);

    await world.app.restart();

    const { counts } = await readOperation(world.app, id);
    expect(counts.succeeded).toBeLessThan(24);
    expect(await ended(id)).toMatchObject({ status: 'SUCCEEDED', counts: { succeeded: 24 } });
    expect(
      peopleOf(world.simulator).filter(({ primaryEmail }) => primaryEmail?.endsWith('@restart.example')),
    ).toHaveLength(24);
  });

  it('changes the members of many groups', async () => {
    const members = [{ email: seededPerson(world.simulator, 'ada.lovelace').primaryEmail }];
    const { id } = await begin('changeGroupMembers', {
      changes: [
        { group: { name: 'Engineering' }, change: 'ADD', members },
        { group: { name: 'Engineering' }, change: 'REMOVE', members },
        { group: { name: 'No such group' }, change: 'SET', members },
      ],
    });
    expect(await ended(id)).toMatchObject({ status: 'PARTIALLY_SUCCEEDED', counts: { succeeded: 2, failed: 1 } });
    expect((await readItems(world.app, id)).map(({ status, problem }) => problem?.code ?? status)).toEqual([
      ...['SUCCEEDED', 'SUCCEEDED', 'NOT_FOUND'],
    ]);
  });

  it('is sent as a file and fetched as one', async () => {
    const send = (type: string, body: string, query = 'kind=PROVISION_USERS') =>
      fetch(`${world.app.url}/operations/upload?connectionId=${connectionId}&${query}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${world.app.adminKey}`, 'content-type': type },
        body,
      });
    const csv =
      'email,title,profileFields.role\nfile1@file.example,"Engineer, ""senior""",\nfile2@file.example,,Lead\n';
    const sent = await send('text/csv', csv);
    const { operation } = (await sent.json()) as { operation: { id: string } };
    expect({ status: sent.status, operation }).toMatchObject({ status: 202, operation: { counts: { total: 2 } } });
    await ended(operation.id);
    expect(holder('file1@file.example')).toMatchObject({ title: 'Engineer, "senior"' });

    const fetchResults = (key: string) =>
      fetch(`${world.app.url}/operations/${operation.id}/results.jsonl`, {
        headers: { authorization: `Bearer ${key}` },
      });
    const lines = (await (await fetchResults(world.app.adminKey)).text()).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { index: 0, subject: 'file1@file.example', status: 'SUCCEEDED', outcome: 'CREATED' },
      { index: 1, subject: 'file2@file.example', status: 'SUCCEEDED', outcome: 'CREATED' },
    ]);
    expect((await fetchResults(await createKey(world.app, ['CONNECTIONS_READ']))).status).toBe(403);
    expect((await fetchResults('nothing')).status).toBe(401);

    const jsonl = '{"email":"file1@file.example"}\n{"slackId":"U0"}\n';
    const leaving = (await (await send('application/x-ndjson', jsonl, 'kind=DEPROVISION_USERS')).json()) as {
      operation: { id: string };
    };
    expect(await ended(leaving.operation.id)).toMatchObject({ counts: { succeeded: 1, failed: 1 } });
    for (const [type, body] of [
      ['text/csv', 'email,salary\na@file.example,1\n'],
      ['application/json', '[]'],
      ['application/x-ndjson', 'nonsense'],
      ['text/csv', 'email\n'],
    ] as const) {
      const refused = await send(type, body);
      expect({ status: refused.status, text: await refused.text() }).toMatchObject({
        status: 400,
        text: expect.stringContaining('"INVALID_INPUT"'),
      });
    }
  });

  it('is followed as it gets on, until it ends', async () => {
    slow();
    const { id } = await begin('provisionUsers', { users: people(20, 'follow.example') });
    const query = 'subscription ($id: ID!) { operationProgress(id: $id) { status counts { succeeded } } }';
    const response = await fetch(`${world.app.url}/graphql/stream`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${world.app.adminKey}`,
        accept: 'text/event-stream',
        'content-type': 'application/json',
      },
      body: JSON.stringify({ query, variables: { id } }),
    });
    const text = await response.text();
    const states = [...text.matchAll(/"status":"(\w+)","counts":\{"succeeded":(\d+)/g)];
    expect(states.at(-1)?.slice(1)).toEqual(['SUCCEEDED', '20']);
    const succeeded = states.map(([, , count]) => Number(count));
    expect(succeeded).toEqual([...succeeded].sort((left, right) => left - right));
    expect(states.length).toBeGreaterThan(1);
  });
});
