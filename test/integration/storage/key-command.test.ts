import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Secret } from '../../../src/shared/secret';
import { commandKeys } from '../../../src/storage/key-command';
import { testKey } from '../../support/test-database';

const sh = '/bin/sh';
/** "Wraps" by base64: the wrapped key is the key's own base64, encoded once more. */
const wrap = (value: number) => new Secret(Buffer.from(testKey(value).toString('base64')).toString('base64'));
const canary = new Secret(Buffer.from('canary-of-the-wrapped-key').toString('base64'));

describe('a command that unwraps sealing keys', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rollcall-kms-'));
    await writeFile(join(folder, 'kms client.sh'), 'base64 -d\n');
  });
  afterAll(() => rm(folder, { recursive: true }));

  const load = (script: string, { keys = [canary], timeoutMs = 20_000 } = {}) =>
    commandKeys(keys, { words: [sh, '-c', script], timeoutMs }).loadKeys();

  async function failureOf(loading: Promise<unknown>): Promise<string> {
    const error: unknown = await loading.then(
      () => 'no failure',
      (failure: unknown) => failure,
    );
    expect(error).toMatchObject({ name: 'KeyCommandFailed' });
    // Neither what it was given nor what it printed is anywhere in the error.
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/canary|Y2FuYXJ5/);
    return (error as Error).message;
  }

  it('is given each wrapped key in turn, and gives the keys, newest first', async () => {
    const words = [sh, join(folder, 'kms client.sh')];
    const provider = commandKeys([wrap(2), wrap(1)], { words, timeoutMs: 20_000 });

    expect(await provider.loadKeys()).toEqual([testKey(2), testKey(1)]);
    expect(provider.procedure.toAdd).toContain('wrapped keys');
  });

  it('may print its key with a line end, as base64url, and without reading its input', async () => {
    const key = testKey(255).toString('base64url');
    expect(await load(`echo ' ${key}'; echo`)).toEqual([testKey(255)]);
  });

  it('gets its arguments as they are: no shell reads them', async () => {
    const words = [sh, '-c', 'test "$1" = "$(printf %s \'$(exit 9); a b\')" && base64 -d', 'name', '$(exit 9); a b'];
    expect(await commandKeys([wrap(1)], { words, timeoutMs: 20_000 }).loadKeys()).toEqual([testKey(1)]);
  });

  it.each([
    ['that fails', 'cat >&2; echo canary; exit 3', 'ended with exit code 3'],
    ['that is ended', 'kill -9 $$', 'SIGKILL ended it'],
    ['that prints nothing', 'exit 0', 'did not print 32 bytes in base64'],
    ['that prints 31 bytes', 'head -c 31 /dev/zero | base64', 'did not print 32 bytes in base64'],
    ['that prints 33 bytes', 'head -c 33 /dev/zero | base64', 'did not print 32 bytes in base64'],
    ['that prints a key and more', 'head -c 32 /dev/zero | base64; echo canary', 'did not print 32 bytes in base64'],
    ['that prints without end', 'yes canary', 'printed more than a key'],
  ])('%s is refused, by its number and its end alone', async (_, script, how) => {
    const message = await failureOf(load(script, { keys: [canary] }));
    expect(message).toContain('the wrapped key 1 of 1');
    expect(message).toContain(how);
  });

  it('that hangs is ended in time, also when it has handed its pipes to another program', async () => {
    expect(await failureOf(load('sleep 5 & wait', { timeoutMs: 200 }))).toContain('did not end within 200 ms');
  });

  it('that is not there is named by no more than the reason', async () => {
    const missing = commandKeys([canary], { words: [join(folder, 'nothing')], timeoutMs: 1_000 });
    expect(await failureOf(missing.loadKeys())).toContain('cannot be started (ENOENT)');
  });

  it('that unwraps two to the same key is refused', async () => {
    expect(await failureOf(load('head -c 32 /dev/zero | base64', { keys: [canary, wrap(1)] }))).toMatch(
      /wrapped key 2 of 2: it printed the same key/,
    );
  });
});
