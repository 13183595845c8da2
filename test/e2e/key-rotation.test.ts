import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CommandMeans, runCommand } from '../../src/commands';
import { loadConfig } from '../../src/config';
import { createLogger } from '../../src/log';
import { querySqlite } from '../support/sqlite-file';
import { startTestApp, type TestApp } from '../support/start-app';
import { TenantClient } from '../support/tenant-client';

interface KeyAnswer {
  readonly id: string;
  readonly isNewest: boolean;
  readonly sealedValues: { accessTokens: number; refreshTokens: number };
  readonly canBeRemoved: boolean;
  readonly note: string;
}

interface Payload {
  readonly sealingKeys: KeyAnswer[] | null;
  readonly resealing: { remainingValues: number; unreadableValues: number } | null;
  readonly problems: { code: string; path: string[] | null; remedy: string }[];
}

const fields =
  'sealingKeys { id isNewest sealedValues { accessTokens refreshTokens } canBeRemoved note } resealing { remainingValues unreadableValues } problems { code path remedy }';

describe('the sealing key of a gateway that keeps it in a file', () => {
  let app: TestApp;
  let tenant: TenantClient;
  let connectionId: string;
  beforeAll(async () => {
    app = await startTestApp();
    tenant = await TenantClient.create(app);
    ({ id: connectionId } = await tenant.connect());
  });
  afterAll(() => app?.stop());

  async function change(name: string, input = '', variables: object = {}): Promise<Payload> {
    const declared = input === '' ? '' : '($id: ID!)';
    const { data, text } = await app.call<Record<string, Payload>>(
      `mutation ${declared} { ${name}${input} { ${fields} } }`,
      variables,
    );
    const payload = data?.[name];
    if (!payload) throw new Error(text);
    return payload;
  }
  const remove = (id: string) => change('removeSealingKey', '(input: { id: $id })', { id });
  const sealedWith = async () => {
    const [row] = await querySqlite(app, 'SELECT sealed_secret FROM access_tokens WHERE sealed_secret IS NOT NULL');
    return String(row?.sealed_secret).split(':')[1];
  };
  const keyLines = async () => (await readFile(join(app.directory, 'sealing.key'), 'utf8')).trim().split('\n');
  const assertServes = async () => expect((await tenant.readUsers(connectionId)).errors).toBeUndefined();

  /** As a person runs it beside the gateway. */
  async function run(line: string, env: Record<string, string> = {}) {
    const [command = '', ...options] = line.split(' ');
    const printed: string[] = [];
    const logs: string[] = [];
    const config = loadConfig({ ROLLCALL_DATA_DIR: app.directory, ...env });
    const logger = createLogger('debug', { write: (line) => void logs.push(line) });
    const means: CommandMeans = { options, config, logger, print: (text) => void printed.push(text) };
    const isDone = await runCommand(command, means);
    return { isDone, printed: printed.join('\n'), logs: logs.join('') };
  }

  it('is rotated over the API without a pause, and the old one goes when nothing needs it', async () => {
    const old = await sealedWith();
    const [oldLine] = await keyLines();

    const rotated = await change('rotateSealingKey');
    expect(rotated.problems).toEqual([]);
    const [newest, older] = rotated.sealingKeys ?? [];
    expect(newest).toMatchObject({ isNewest: true, note: 'Everything new is sealed with it.' });
    expect(older).toMatchObject({ id: old, isNewest: false });
    await assertServes();
    expect(await keyLines()).toEqual([expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/), oldLine]);

    const resealed = await change('resealSecrets');
    expect(resealed).toMatchObject({ resealing: { remainingValues: 0, unreadableValues: 0 }, problems: [] });
    expect(resealed.sealingKeys).toMatchObject([
      { id: newest?.id, sealedValues: { accessTokens: 1, refreshTokens: 0 } },
      { id: old, sealedValues: { accessTokens: 0, refreshTokens: 0 }, canBeRemoved: true },
    ]);
    expect(await sealedWith()).toBe(newest?.id);

    await app.restart();
    await assertServes();
    expect(await remove(newest?.id ?? '')).toMatchObject({
      sealingKeys: null,
      problems: [{ code: 'CONFLICT', path: ['input', 'id'], remedy: expect.stringContaining('rotateSealingKey') }],
    });
    expect((await remove(old ?? '')).sealingKeys).toMatchObject([{ id: newest?.id }]);
    expect(await remove(old ?? '')).toMatchObject({ problems: [{ code: 'NOT_FOUND' }] });
    expect(await keyLines()).toHaveLength(1);

    await app.restart();
    await assertServes();
    expect(app.logs.join('')).toContain('made a new sealing key');
    for (const line of [oldLine ?? '', ...(await keyLines())]) expect(app.logs.join('')).not.toContain(line);
  });

  it('is rotated and shown by commands beside the running gateway, which takes the new one up by itself', async () => {
    const before = await sealedWith();

    const { isDone, printed, logs } = await run('rotate-sealing-key');

    expect(isDone).toBe(true);
    const [, id] = /^New sealing key (\w{8}), first in the key file/.exec(printed) ?? [];
    expect(printed).toContain('Sealed anew: 1 of 1');
    expect(printed).toContain('Nothing is left under an older key.');
    expect(await sealedWith()).toBe(id);
    await assertServes();
    await tenant.change('replaceToken', { id: connectionId, token: tenant.tokenOf('business-owner') });
    expect(await sealedWith()).toBe(id);
    const shown = await run('sealing-keys');
    expect(shown.printed).toMatch(new RegExp(`${id} +1 +newest.*\n${before} +0 +older .*Nothing needs it any more`));
    for (const line of await keyLines()) expect(printed + logs + shown.printed + shown.logs).not.toContain(line);
    expect((await remove(before ?? '')).problems).toEqual([]);
  });

  it('stays while a value that cannot be opened names it, and the command does not say that all is done', async () => {
    const sealed = await querySqlite(
      app,
      'SELECT id, sealed_secret FROM access_tokens WHERE sealed_secret IS NOT NULL',
    );
    const { id, sealed_secret: whole } = sealed[0] ?? {};
    await querySqlite(app, 'UPDATE access_tokens SET sealed_secret = ? WHERE id = ?', String(whole).slice(0, -3), id);
    const old = await sealedWith();
    await change('rotateSealingKey');

    const { isDone, printed, logs } = await run('reseal');
    expect(isDone).toBe(false);
    expect(printed).toContain('Left under an older key: 1.');
    expect(logs).toContain(connectionId);
    expect(await change('resealSecrets')).toMatchObject({ resealing: { remainingValues: 1, unreadableValues: 1 } });
    expect(await remove(old ?? '')).toMatchObject({
      problems: [{ code: 'CONFLICT', remedy: expect.stringContaining('new token') }],
    });

    await tenant.change('replaceToken', { id: connectionId, token: tenant.tokenOf('business-admin') });
    expect((await run('reseal')).isDone).toBe(true);
    expect((await remove(old ?? '')).problems).toEqual([]);
  });

  it('is not changed, and goes on to work, while its file cannot be read', async () => {
    const file = join(app.directory, 'sealing.key');
    await chmod(file, 0o644);
    const { errors } = await app.call('{ sealingKeys { id } }');
    expect(errors).toMatchObject([{ message: expect.stringContaining('chmod 600'), extensions: { code: 'CONFLICT' } }]);
    const before = await keyLines();
    expect((await change('rotateSealingKey')).problems).toMatchObject([
      { code: 'CONFLICT', remedy: expect.stringContaining('Repair') },
    ]);
    await assertServes();

    await chmod(file, 0o600);
    expect(await keyLines()).toEqual(before);
    expect((await change('resealSecrets')).problems).toEqual([]);
  });

  it('that is configured is left to whoever configures it, by the command too', async () => {
    const keys = (await keyLines()).join(',');

    await expect(run('rotate-sealing-key', { ROLLCALL_SEALING_KEYS: keys })).rejects.toMatchObject({
      name: 'CommandFailed',
      message: expect.stringMatching(/cannot make a sealing key here\. .*behind the old one on every replica/),
    });
    const other = Buffer.alloc(32, 3).toString('base64');
    expect((await run('reseal', { ROLLCALL_SEALING_KEYS: `${other},${keys}` })).isDone).toBe(true);
    const older = { ROLLCALL_SEALING_KEYS: `${keys},${other}` };
    const refused = await run('reseal', older);
    expect(refused).toMatchObject({ isDone: false, printed: expect.stringContaining('has a newer key first') });
    expect((await change('resealSecrets')).problems).toMatchObject([{ code: 'CONFLICT' }]);
    expect((await run('reseal --to-older-key', older)).isDone).toBe(true);
    await assertServes();
  });
});
