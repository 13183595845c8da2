import { createHash } from 'node:crypto';
import { copyFile, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { startApp } from '../../src/app';
import { loadConfig } from '../../src/config';
import { createLogger } from '../../src/log';
import { querySqlite } from '../support/sqlite-file';
import { startTestApp, type TestApp } from '../support/start-app';
import { TenantClient } from '../support/tenant-client';

let app: TestApp;
let tenant: TenantClient;
beforeEach(async () => {
  app = await startTestApp();
  tenant = await TenantClient.create(app);
});
afterEach(() => app?.stop());

describe('a sealed token that was tampered with', () => {
  const sealedOf = async (id: string) =>
    String(
      (await querySqlite(app, 'SELECT sealed_secret FROM access_tokens WHERE connection_id = ?', id))[0]?.sealed_secret,
    );
  const overwrite = (id: string, sealed: string) =>
    querySqlite(app, 'UPDATE access_tokens SET sealed_secret = ? WHERE connection_id = ?', sealed, id);

  async function assertClosedAndRepairable(id: string): Promise<void> {
    const sent = app.simulator.requests.length;
    const { errors } = await tenant.readUsers(id);
    expect(errors?.[0]?.extensions.code).toBe('REAUTHORIZATION_REQUIRED');
    const verified = await tenant.change('verifyConnection', { id });
    expect(verified.problems).toMatchObject([
      { code: 'REAUTHORIZATION_REQUIRED', detail: expect.stringMatching(/cannot be opened/) },
    ]);
    expect(verified.connection).toMatchObject({
      status: 'REAUTHORIZATION_REQUIRED',
      issues: [{ code: 'REAUTHORIZATION_REQUIRED', detail: expect.stringMatching(/cannot be opened/) }],
    });
    expect((await tenant.change('disconnect', { id })).problems).toMatchObject([{ code: 'REAUTHORIZATION_REQUIRED' }]);
    expect(app.simulator.requests).toHaveLength(sent);

    const repaired = await tenant.change('replaceToken', { id, token: tenant.tokenOf('business-owner') });
    expect(repaired).toMatchObject({ connection: { status: 'ACTIVE' }, problems: [] });
    expect((await tenant.readUsers(id)).errors).toBeUndefined();
  }

  it('opens for neither of two connections whose ciphertexts were swapped, and for each other one', async () => {
    const [first, second] = [await tenant.connect(), await tenant.connect('enterprise-owner')];
    const other = await TenantClient.create(app);
    const { id: third } = await other.connect();
    const [one, two] = [await sealedOf(first.id), await sealedOf(second.id)];
    await overwrite(first.id, two);
    await overwrite(second.id, one);

    expect((await other.readUsers(third)).errors).toBeUndefined();
    await assertClosedAndRepairable(first.id);
    const repaired = await tenant.change('replaceToken', { id: second.id, token: tenant.tokenOf('enterprise-owner') });
    expect(repaired.problems).toEqual([]);
  });

  it.each<[string, (sealed: string[]) => string[]]>([
    ['truncated', (parts) => parts.map((part, index) => (index === 3 ? part.slice(0, -4) : part))],
    ['given an unknown key id', (parts) => parts.map((part, index) => (index === 1 ? '00000000' : part))],
    [
      'given a tag of 4 bytes',
      (parts) =>
        parts.map((part, index) =>
          index === 4 ? Buffer.from(part, 'base64url').subarray(0, 4).toString('base64url') : part,
        ),
    ],
    ['replaced by a plain token', () => [app.simulator.tokens['business-admin']]],
    ['emptied', () => ['']],
  ])('closes its connection alone when it was %s', async (_, damage) => {
    const { id } = await tenant.connect();
    const { id: other } = await tenant.connect('enterprise-owner');
    await overwrite(id, damage((await sealedOf(id)).split(':')).join(':'));

    expect((await tenant.readUsers(other)).errors).toBeUndefined();
    await assertClosedAndRepairable(id);
  });

  it('can still be forgotten', async () => {
    const { id } = await tenant.connect();
    await overwrite(id, 'v1:damaged');

    const { connection } = await tenant.change('disconnect', { id, revokeToken: false });
    expect(connection).toMatchObject({ status: 'DISCONNECTED', token: { status: 'SUPERSEDED' } });
    expect((await tenant.deleteConnection(id)).deletedId).toBe(id);
  });

  it('does not keep the gateway from starting', async () => {
    const { id } = await tenant.connect();
    await overwrite(id, (await sealedOf(id)).slice(0, -6));
    await app.restart();

    await assertClosedAndRepairable(id);
  });
});

describe('the sealing key', () => {
  const restarted = (env: Record<string, string>) => {
    const config = loadConfig({
      ROLLCALL_DATA_DIR: app.directory,
      ROLLCALL_PORT: '0',
      ROLLCALL_SANDBOX: 'off',
      ...env,
    });
    return startApp(config, { logger: createLogger('silent'), sandboxUrl: app.simulator.url });
  };
  const digest = async () =>
    createHash('sha256')
      .update(await readFile(join(app.directory, 'rollcall.sqlite')))
      .digest('hex');

  it('is made at the first start, readable by its owner alone, and announced', async () => {
    const file = join(app.directory, 'sealing.key');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(app.app.newKeyFile).toBe(file);
    expect((await stat(join(app.directory, 'rollcall.sqlite'))).mode & 0o077).toBe(0);
  });

  it('must be the right one: with another, or with none left, nothing starts and nothing changes', async () => {
    const { id } = await tenant.connect();
    const key = join(app.directory, 'sealing.key');
    await copyFile(key, `${key}.backup`);
    await app.app.stop();
    const before = await digest();

    const other = Buffer.alloc(32, 7).toString('base64');
    await expect(restarted({ ROLLCALL_SEALING_KEYS: other })).rejects.toMatchObject({
      name: 'WrongSealingKey',
      message: expect.stringMatching(/nothing was changed/),
    });
    await rm(key);
    await expect(restarted({})).rejects.toMatchObject({
      name: 'WrongSealingKey',
      message: expect.stringContaining(`The key file ${key} is missing`),
    });
    await expect(stat(key)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await digest()).toBe(before);

    await copyFile(`${key}.backup`, key);
    await app.restart();
    expect((await tenant.readUsers(id)).errors).toBeUndefined();
  });

  it('can be changed where it is configured: the newest seals, the older ones open, and once all is sealed anew they may go', async () => {
    const { id } = await tenant.connect();
    const old = (await readFile(join(app.directory, 'sealing.key'), 'utf8')).trim();
    const next = Buffer.alloc(32, 9).toString('base64');
    await app.app.stop();

    for (const keys of [`${next},${old}`, next]) {
      const started = await restarted({ ROLLCALL_SEALING_KEYS: keys });
      const ask = async (key: string, query: string) => {
        const response = await fetch(`${started.url}/graphql`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
          body: JSON.stringify({ query }),
        });
        return response.text();
      };
      expect(await ask(tenant.key, `{ connection(id: "${id}") { users(first: 1) { totalCount } } }`)).toMatch(
        /"totalCount":\d+/,
      );
      expect(await ask(app.adminKey, 'mutation { rotateSealingKey { problems { code remedy } } }')).toMatch(
        /"CONFLICT","remedy":"[^"]*behind the old one on every replica/,
      );
      expect(await ask(app.adminKey, 'mutation { resealSecrets { resealing { remainingValues } } }')).toContain(
        '"remainingValues":0',
      );
      await started.stop();
    }
    await app.restart().catch((error: unknown) => expect(error).toMatchObject({ name: 'WrongSealingKey' }));
  });
});
