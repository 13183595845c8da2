import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyIdOf } from '../../../src/storage/cipher';
import { KeyFile } from '../../../src/storage/key-file';
import { testKey } from '../../support/test-database';

describe('the key file', () => {
  let folder: string;
  let path: string;
  const open = () => new KeyFile(path);
  const content = () => readFile(path, 'utf8');
  const lines = (...values: number[]) => values.map((value) => `${testKey(value).toString('base64')}\n`).join('');

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rollcall-key-'));
    path = join(folder, 'new', 'sealing.key');
  });

  afterEach(() => rm(folder, { recursive: true }));

  it('is made once with 32 bytes, for its owner only, and read from then on', async () => {
    const [first, second] = [open(), open()];
    const [made, read] = [await first.loadKeys(), await second.loadKeys()];

    expect([first.isNew, second.isNew]).toEqual([true, false]);
    expect(made.map((key) => key.length)).toEqual([32]);
    expect(read).toEqual(made);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'new'))).mode & 0o777).toBe(0o700);
    expect(await content()).toBe(`${made[0]?.toString('base64')}\n`);
  });

  it('is the same for all who start at once, and leaves no draft behind', async () => {
    const files = Array.from({ length: 10 }, open);
    const results = await Promise.all(files.map((file) => file.loadKeys()));

    expect(files.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(new Set(results.map((keys) => keys[0]?.toString('hex'))).size).toBe(1);
    expect(await readdir(join(folder, 'new'))).toEqual(['sealing.key']);
  });

  it.each([0o640, 0o604, 0o666])('is refused with mode %o, with the command that repairs it', async (mode) => {
    await open().loadKeys();
    await chmod(path, mode);

    await expect(open().loadKeys()).rejects.toThrow(`chmod 600 ${path}`);

    await chmod(path, 0o600);
    await expect(open().loadKeys()).resolves.toHaveLength(1);
  });

  it.each([
    '',
    'c2hvcnQ=',
    'not base64 at all',
    'A'.repeat(43),
    `${testKey(1).toString('base64')}\n${'A'.repeat(43)}`,
    `${testKey(1).toString('base64')}\n${testKey(1).toString('base64')}`,
  ])('is refused when a line holds no key, or one is there twice (%j), without telling what it holds', async (text) => {
    await open().loadKeys();
    await writeFile(path, text);

    const failure = await open()
      .loadKeys()
      .catch((error: unknown) => error);

    expect(failure).toMatchObject({ name: 'KeyFileRefused', message: expect.stringContaining('32 bytes in base64') });
    for (const line of text.split('\n')) if (line !== '') expect(String(failure)).not.toContain(line);
  });

  it('takes a new key before the others and gives one up, and is as private as before', async () => {
    const file = open();
    await file.loadKeys();
    await writeFile(path, lines(2, 1));
    await writeFile(`${path}.0123456789ab.new`, 'what a process that was killed has left');

    expect(await file.addFirst(testKey(3))).toEqual([3, 2, 1].map(testKey));
    expect(await file.addFirst(testKey(3))).toHaveLength(3);
    expect(await content()).toBe(lines(3, 2, 1));
    expect(await file.remove(keyIdOf(testKey(2)))).toEqual([3, 1].map(testKey));
    expect(await file.remove('00000000')).toHaveLength(2);
    await file.remove(keyIdOf(testKey(1)));
    await expect(file.remove(keyIdOf(testKey(3)))).rejects.toThrow('never removed');

    expect(await content()).toBe(lines(3));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(folder, 'new'))).toEqual(['sealing.key']);
  });

  it('stays where a link leads', async () => {
    await open().loadKeys();
    const link = join(folder, 'link.key');
    await symlink(path, link);

    await new KeyFile(link).addFirst(testKey(3));

    expect(await open().loadKeys()).toHaveLength(2);
  });

  it('that cannot be written is as it was, and the failure says what to do', async () => {
    await open().loadKeys();
    const before = await content();
    // A folder in the place of what a killed process may have left: it cannot be cleared away, whoever runs this.
    await mkdir(`${path}.0.new`);

    await expect(open().addFirst(testKey(3))).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(/cannot be written \(\w+\); nothing was changed/),
      remedy: expect.stringContaining('data folder'),
    });
    expect(await content()).toBe(before);
  });

  it('tells what another process has changed, once', async () => {
    const file = open();
    await file.loadKeys();
    await utimes(path, 1, 1);
    file.changedKeys();
    expect(file.changedKeys()).toBeUndefined();

    await open().addFirst(testKey(3));
    expect(file.changedKeys()?.[0]).toEqual(testKey(3));
    // It was changed a moment ago, and may yet change again within the same tick of the file system's clock.
    expect(file.changedKeys()).toHaveLength(2);
    await utimes(path, 2, 2);
    expect(file.changedKeys()).toHaveLength(2);
    expect(file.changedKeys()).toBeUndefined();
  });
});
