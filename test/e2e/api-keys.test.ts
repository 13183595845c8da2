import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MovedClock } from '../support/moved-clock';
import { connectSandbox } from '../support/operations';
import { sendRaw } from '../support/raw-http';
import { querySqlite } from '../support/sqlite-file';
import { lockFromOutside } from '../support/sqlite-locker';
import { startTestApp, type TestApp } from '../support/start-app';
import { createKey, createTenant, type IssuedKeyAnswer, issueKey } from '../support/tenants';

const HOUR_MS = 3_600_000;
const clock = new MovedClock();
let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ clock, env: { ROLLCALL_CALL_TIMEOUT_MS: '600000' } });
});
afterAll(() => app?.stop());

const whoAmI = '{ viewer { name permissions tenant { name } apiKey { id expiresAt revokedAt lastUsedAt } } }';

async function statusOf(key: string | null): Promise<number> {
  return (await app.call(whoAmI, {}, { key })).status;
}

function secretOf({ secret, problems }: IssuedKeyAnswer): string {
  if (secret === null) throw new Error(JSON.stringify(problems));
  return secret;
}

const revoke = (id: string | undefined, key = app.adminKey) =>
  app.call<{ revokeApiKey: { apiKey: { revokedAt: string } | null; problems: { code: string }[] } }>(
    'mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { apiKey { revokedAt } problems { code } } }',
    { id },
    { key },
  );

describe('an API key', () => {
  it('tells whose it is and what it may do', async () => {
    const key = await createKey(app, ['USERS_READ', 'CONNECTIONS_READ', 'USERS_READ']);

    const { data } = await app.call(whoAmI, {}, { key });
    expect(data).toMatchObject({
      viewer: { name: 'Test', permissions: ['USERS_READ', 'CONNECTIONS_READ'], tenant: { name: 'Operator' } },
    });
  });

  it('is shown in one answer and nowhere else', async () => {
    const issued = await issueKey(app, { name: 'Once', permissions: ['USERS_READ'] });
    const key = secretOf(issued);
    expect(key).toMatch(/^rk_[0-9a-f]{24}_[\w-]{43}$/);
    expect(issued.apiKey?.id).toBe(`key_${key.slice(3, 27)}`);

    const [viewer, revoked] = [await app.call(whoAmI, {}, { key }), await revoke(issued.apiKey?.id)];
    const stored = JSON.stringify(await querySqlite(app, 'SELECT * FROM api_keys'));
    for (const text of [viewer.text, revoked.text, stored, app.logs.join('')]) {
      expect(text).not.toContain(key.slice(28, 40));
    }
  });

  it('is kept as a hash alone, in database file and journal', async () => {
    const key = await createKey(app, ['USERS_READ']);
    await statusOf(key);

    for (const name of ['rollcall.sqlite', 'rollcall.sqlite-wal']) {
      const bytes = await readFile(join(app.directory, name));
      for (const secret of [key, app.adminKey]) expect(bytes.includes(secret.slice(28, 40))).toBe(false);
    }
    const [row] = await querySqlite(app, 'SELECT secret_hash FROM api_keys WHERE id = ?', `key_${key.slice(3, 27)}`);
    expect(String(row?.secret_hash)).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is another one each time', async () => {
    const keys = await Promise.all(Array.from({ length: 10 }, () => createKey(app, ['USERS_READ'])));
    expect(new Set(keys.map((key) => key.slice(3, 27))).size).toBe(10);
    expect(new Set(keys.map((key) => key.slice(28))).size).toBe(10);
  });

  it('ends at its time, and not before', async () => {
    const expiresAt = new Date(clock.now() + HOUR_MS).toISOString();
    const key = secretOf(await issueKey(app, { name: 'Short', permissions: ['USERS_READ'], expiresAt }));
    expect(await statusOf(key)).toBe(200);

    clock.advance(HOUR_MS - 60_000);
    expect(await statusOf(key)).toBe(200);
    clock.advance(61_000);
    expect(await statusOf(key)).toBe(401);
  });

  it.each([
    ['no permissions', { permissions: [] }, ['input', 'permissions']],
    ['a blank name', { name: ' ' }, ['input', 'name']],
    ['an end that has passed', { expiresAt: '2020-01-01T00:00:00Z' }, ['input', 'expiresAt']],
  ])('is not made with %s', async (_, input, path) => {
    const issued = await issueKey(app, { name: 'x', permissions: ['ADMIN'], ...input });
    expect(issued).toMatchObject({ apiKey: null, secret: null, problems: [{ code: 'INVALID_INPUT', path }] });
  });

  it('is revoked at once, for good, and by whoever may, itself included', async () => {
    const issued = await issueKey(app, { name: 'Doomed', permissions: ['ADMIN'] });
    const key = secretOf(issued);
    const id = issued.apiKey?.id;
    expect(await statusOf(key)).toBe(200);

    const first = await revoke(id, key);
    expect(first.data?.revokeApiKey).toMatchObject({ apiKey: { revokedAt: expect.any(String) }, problems: [] });
    expect(await statusOf(key)).toBe(401);
    clock.advance(1000);
    const again = await revoke(id);
    expect(again.data).toEqual(first.data);
  });

  it('is looked up anew by each call, so that a revocation on another replica holds too', async () => {
    const issued = await issueKey(app, { name: 'Elsewhere', permissions: ['USERS_READ'] });
    expect(await statusOf(issued.secret)).toBe(200);
    await querySqlite(app, 'UPDATE api_keys SET revoked_at = ? WHERE id = ?', clock.now(), issued.apiKey?.id);
    expect(await statusOf(issued.secret)).toBe(401);
  });

  it('ends with its revocation in the middle of a request that began before: the next one is refused', async () => {
    const issued = await issueKey(app, { name: 'Busy', permissions: ['ADMIN'] });
    const { data } = await app.call(
      `mutation ($id: ID!) {
        revokeApiKey(input: { id: $id }) { apiKey { id } }
        createApiKey(input: { name: "After", permissions: [ADMIN] }) { secret problems { code } }
      }`,
      { id: issued.apiKey?.id },
      { key: issued.secret },
    );
    expect(data).toBeDefined();
    expect(await statusOf(issued.secret)).toBe(401);
  });

  it('reads on while another process holds the database, though its use cannot be noted', async () => {
    const { id } = await connectSandbox(app);
    clock.advance(120_000);
    const release = await lockFromOutside(join(app.directory, 'rollcall.sqlite'));
    const query = 'query ($id: ID!) { viewer { name } connection(id: $id) { status users(first: 1) { totalCount } } }';
    // The gateway waits some seconds for the lock, by its own clock.
    const [answer, again] = await clock.hurried(
      async () => [await app.call(query, { id }), await app.call(query, { id })] as const,
    );
    await release();

    expect(answer.errors).toBeUndefined();
    expect(again.data).toMatchObject({ connection: { users: { totalCount: expect.any(Number) } } });
  });

  it('of the first start is printed at that start alone', async () => {
    await app.restart();
    expect(app.app.firstKey).toBeUndefined();
    expect(await statusOf(app.adminKey)).toBe(200);
  });
});

describe('an Authorization header', () => {
  const idHalf = () => app.adminKey.slice(3, 27);
  const secretHalf = () => app.adminKey.slice(28);

  it.each<[string, () => string | undefined]>([
    ['absent', () => undefined],
    ['blank', () => ''],
    ['a scheme alone', () => 'Bearer'],
    ['a scheme and a blank', () => 'Bearer '],
    ['the key without a scheme', () => app.adminKey],
    ['another scheme', () => `Basic ${Buffer.from(`x:${app.adminKey}`).toString('base64')}`],
    ['two schemes', () => `Bearer Bearer ${app.adminKey}`],
    ['two keys', () => `Bearer ${app.adminKey} ${app.adminKey}`],
    ['a list', () => `Bearer ${app.adminKey}, Bearer ${app.adminKey}`],
    ['a key in quotation marks', () => `Bearer "${app.adminKey}"`],
    ['a key with a tail', () => `Bearer ${app.adminKey}A`],
    ['a key that lacks its end', () => `Bearer ${app.adminKey.slice(0, -1)}`],
    ['a key in capitals', () => `Bearer ${app.adminKey.toUpperCase()}`],
    ['an unknown key id', () => `Bearer rk_${randomBytes(12).toString('hex')}_${secretHalf()}`],
    ['another secret', () => `Bearer rk_${idHalf()}_${randomBytes(32).toString('base64url')}`],
    ['an id in place of a key', () => `Bearer key_${idHalf()}`],
    ['a Slack token', () => `Bearer ${app.simulator.tokens['business-admin']}`],
    ['8 kB', () => `Bearer rk_${'a'.repeat(8_000)}`],
    ['bytes beyond ASCII', () => 'Bearer \u00e9\u00e9'],
  ])('that is no key is 401 and says the same: %s', async (_, header) => {
    const authorization = header();
    const answer = await sendRaw(`${app.url}/graphql`, {
      headers: { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) },
      body: [JSON.stringify({ query: whoAmI })],
    });

    expect(answer.status).toBe(401);
    const { errors } = JSON.parse(answer.text) as { errors: { message: string; extensions: { code: string } }[] };
    expect(errors).toHaveLength(1);
    expect(errors[0]?.extensions.code).toBe('UNAUTHENTICATED');
    expect(errors[0]?.message).toMatch(/^This (request carries no API key|API key is unknown, expired or revoked)\.$/);
    expect(answer.text).not.toContain(secretHalf().slice(0, 12));
  });

  it.each([
    ['in other letter case', () => `bearer ${app.adminKey}`],
    ['with more blanks', () => `BEARER   ${app.adminKey}`],
  ])('holds a key also %s', async (_, header) => {
    const { status } = await app.call(whoAmI, {}, { key: null, headers: { authorization: header() } });
    expect(status).toBe(200);
  });

  it('counts once: of two, neither mixes into the other', async () => {
    const other = await createKey(app, ['USERS_READ']);
    const answer = await sendRaw(`${app.url}/graphql`, {
      headers: { 'content-type': 'application/json', authorization: [`Bearer ${other}`, `Bearer ${app.adminKey}`] },
      body: [JSON.stringify({ query: whoAmI })],
    });
    // Node keeps the first Authorization header.
    expect(answer.text).toContain('"permissions":["USERS_READ"]');
  });

  it('is all that counts: a key in the address or in the body opens nothing', async () => {
    const { status } = await app.call(whoAmI, { authorization: `Bearer ${app.adminKey}` }, { key: null });
    expect(status).toBe(401);
    const address = `${app.url}/graphql?query=${encodeURIComponent(whoAmI)}&access_token=${app.adminKey}`;
    const answer = await sendRaw(address, { method: 'GET', headers: { 'apollo-require-preflight': '1' } });
    expect(answer.status).toBe(401);
    expect(app.logs.join('')).not.toContain(app.adminKey.slice(28, 40));
  });
});

describe('the admins of a tenant', () => {
  it('make keys for their own tenant alone, and end those alone', async () => {
    const [one, other] = [await createTenant(app), await createTenant(app)];
    const own = await issueKey(app, { name: 'Own', permissions: ['ADMIN'], tenantId: one.id }, one.key);
    expect(own.problems).toEqual([]);

    const foreign = await issueKey(app, { name: 'x', permissions: ['ADMIN'], tenantId: other.id }, one.key);
    expect(foreign).toMatchObject({ secret: null, problems: [{ code: 'NOT_FOUND', path: ['input', 'tenantId'] }] });
    expect((await revoke(own.apiKey?.id, other.key)).data?.revokeApiKey.problems).toEqual([{ code: 'NOT_FOUND' }]);
    expect(await statusOf(own.secret)).toBe(200);
    expect((await revoke(own.apiKey?.id, one.key)).data?.revokeApiKey.problems).toEqual([]);
  });
});
