import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readOrCreateKeyFile } from '../../../src/storage/key-file';

describe('the key file', () => {
  let folder: string;
  let file: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rollcall-key-'));
    file = join(folder, 'new', 'sealing.key');
  });

  afterEach(() => rm(folder, { recursive: true }));

  it('is made once with 32 bytes, for its owner only, and read from then on', async () => {
    const first = await readOrCreateKeyFile(file);
    const second = await readOrCreateKeyFile(file);

    expect([first.created, second.created]).toEqual([true, false]);
    expect(first.keys.map((key) => key.length)).toEqual([32]);
    expect(second.keys).toEqual(first.keys);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'new'))).mode & 0o777).toBe(0o700);
    expect(await readFile(file, 'utf8')).toBe(`${first.keys[0]?.toString('base64')}\n`);
  });

  it('is the same for all who start at once, and leaves no draft behind', async () => {
    const results = await Promise.all(Array.from({ length: 10 }, () => readOrCreateKeyFile(file)));

    expect(results.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(results.map(({ keys }) => keys[0]?.toString('hex'))).size).toBe(1);
    expect(await readdir(join(folder, 'new'))).toEqual(['sealing.key']);
  });

  it.each([0o640, 0o604, 0o666])('is refused with mode %o, with the command that repairs it', async (mode) => {
    await readOrCreateKeyFile(file);
    await chmod(file, mode);

    await expect(readOrCreateKeyFile(file)).rejects.toThrow(`chmod 600 ${file}`);

    await chmod(file, 0o600);
    await expect(readOrCreateKeyFile(file)).resolves.toMatchObject({ created: false });
  });

  it.each(['', 'c2hvcnQ=', 'not base64 at all', `${'A'.repeat(43)}`])(
    'is refused when it holds no key (%j), without telling what it holds',
    async (content) => {
      await readOrCreateKeyFile(file);
      await writeFile(file, content);

      const failure = await readOrCreateKeyFile(file).catch((error: unknown) => error);

      expect(failure).toMatchObject({ name: 'KeyFileRefused', message: expect.stringContaining('32 bytes in base64') });
      if (content !== '') expect(String(failure)).not.toContain(content);
    },
  );
});
