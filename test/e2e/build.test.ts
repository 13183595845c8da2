import { type ChildProcess, spawn } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const repository = join(__dirname, '../..');

interface Outcome {
  exitCode: number | null;
  output: string;
}

/** A project with the layout of ours and next to nothing in it, so that a build takes a second. */
function makeProject({ dependencies = true } = {}) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'rollcall-build-')));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  write('package.json', '{ "type": "commonjs" }');
  write('package-lock.json', '{}');
  write('tsconfig.json', readFileSync(join(repository, 'tsconfig.json'), 'utf8'));
  write('src/tsconfig.json', readFileSync(join(repository, 'src/tsconfig.json'), 'utf8'));
  write('ormconfig.ts', 'export const orm = 1;\n');
  write('src/main.ts', 'export const main = 1;\n');
  write('src/extra.ts', 'export const extra = 1;\n');
  write('schema/operations/01-viewer.graphql', 'query Viewer { viewer }\n');
  write('src/console/playground/index.html', '<!doctype html><title>page</title>\n');
  write(
    'src/console/vite.config.ts',
    `export default { root: 'src/console/playground', build: { outDir: '../../../dist/playground', emptyOutDir: true } };\n`,
  );
  mkdirSync(join(folder, 'src/build'), { recursive: true });
  copyFileSync(join(repository, 'src/build/build.mjs'), join(folder, 'src/build/build.mjs'));
  if (dependencies) symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'));

  const start = (...args: string[]): ChildProcess & { ended: Promise<Outcome> } => {
    const child = spawn(process.execPath, ['src/build/build.mjs', ...args], { cwd: folder });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
    const ended = new Promise<Outcome>((settle) => child.on('close', (exitCode) => settle({ exitCode, output })));
    return Object.assign(child, { ended });
  };
  return {
    folder,
    write,
    start,
    build: (...args: string[]) => start(...args).ended,
    has: (path: string) => existsSync(join(folder, path)),
    read: (path: string) => readFileSync(join(folder, path), 'utf8'),
    remove: (path: string) => rmSync(join(folder, path), { recursive: true }),
  };
}

describe('the build', () => {
  const folders: string[] = [];
  const project = (options?: Parameters<typeof makeProject>[0]) => {
    const made = makeProject(options);
    folders.push(made.folder);
    return made;
  };
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  let built: Promise<string> | undefined;
  /** A project that has been built: once, and copied from then on. */
  const builtProject = async () => {
    built ??= (async () => {
      const { folder, build } = project();
      await build();
      return join(folder, 'dist');
    })();
    const made = project();
    cpSync(await built, join(made.folder, 'dist'), { recursive: true });
    return made;
  };

  it('builds both parts, then only what has changed, and says which', async () => {
    const { build, write, has } = project();

    const first = await build('--if-stale');
    expect(first).toMatchObject({ exitCode: 0 });
    expect(first.output).toMatch(/server built in .*s/);
    expect(first.output).toMatch(/playground built in .*s/);
    expect([has('dist/src/main.js'), has('dist/ormconfig.js'), has('dist/playground/index.html')]).not.toContain(false);

    expect(await build('--if-stale')).toEqual({ exitCode: 0, output: '' });

    write('schema/operations/01-viewer.graphql', 'query Viewer { viewer { name } }\n');
    const afterExample = await build('--if-stale');
    expect(afterExample.output).toContain('playground built');
    expect(afterExample.output).not.toContain('server built');

    write('src/main.ts', 'export const main = 2;\n');
    const afterSource = await build('--if-stale');
    expect(afterSource.output).toContain('server built');
    expect(afterSource.output).not.toContain('playground built');
  });

  it('builds nothing again after a checkout that changed only the times of files', async () => {
    const { build, folder } = await builtProject();
    utimesSync(join(folder, 'src/main.ts'), new Date(), new Date(Date.now() + 60_000));

    expect(await build('--if-stale')).toEqual({ exitCode: 0, output: '' });
  });

  it('removes what a deleted source file had left in dist', async () => {
    const { build, remove, has } = await builtProject();
    expect(has('dist/src/extra.js')).toBe(true);

    remove('src/extra.ts');
    await build('--if-stale');

    expect([has('dist/src/extra.js'), has('dist/src/extra.js.map'), has('dist/src/main.js')]).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('names the failed step and the error, keeps the last good output, and tries again the next time', async () => {
    const { build, write, read } = await builtProject();

    write('src/main.ts', 'export const main: string = 2;\n');
    for (const attempt of [await build('--if-stale'), await build('--if-stale')]) {
      expect(attempt.exitCode).toBe(1);
      expect(attempt.output).toContain('build: server: typescript failed');
      expect(attempt.output).toContain('src/main.ts(1,14)');
    }
    expect(read('dist/src/main.js')).toContain('main = 1');
  });

  it('waits while another build holds the lock, and goes on when it is given back', async () => {
    const { start, write, remove, has } = project();
    write('dist/.build-lock/pid', String(process.pid));

    const waiting = start();
    const [line] = await new Promise<string[]>((settle) =>
      waiting.stdout?.once('data', (text) => settle([String(text)])),
    );
    expect(line).toContain('waiting for another build');
    expect(has('dist/src/main.js')).toBe(false);

    remove('dist/.build-lock');
    expect(await waiting.ended).toMatchObject({ exitCode: 0 });
    expect(has('dist/src/main.js')).toBe(true);
  });

  it('ends well when several are started at once', async () => {
    const { build, has } = project();

    const outcomes = await Promise.all([build(), build(), build('--if-stale')]);

    expect(outcomes.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    expect([has('dist/src/main.js'), has('dist/playground/index.html')]).toEqual([true, true]);
    expect(has('dist/.build-lock')).toBe(false);
  });

  it('is not held up by a build that was killed', async () => {
    const { build, start, write, has } = project();
    const killed = start();
    await new Promise((started) => killed.stdout?.once('data', started));
    killed.kill('SIGKILL');
    await killed.ended;
    expect(has('dist/.build-lock')).toBe(true);

    write('src/main.ts', 'export const main = 3;\n');
    expect(await build('--if-stale')).toMatchObject({ exitCode: 0 });
  });

  it('tells to install the packages when they are missing', async () => {
    const { build } = project({ dependencies: false });

    const { exitCode, output } = await build();

    expect(exitCode).toBe(1);
    expect(output).toContain('"typescript" is not installed');
    expect(output).toContain('npm ci');
    expect(output).not.toMatch(/\n\s+at /);
  });

  it('tells what cannot be written', async () => {
    const { build, write } = project();
    // A file in the way fails for root as well, whom permissions do not stop.
    write('dist', '');

    const { exitCode, output } = await build();

    expect(exitCode).toBe(1);
    expect(output).toMatch(/^build: .*dist/);
    expect(output).not.toMatch(/\n\s+at /);
  });
});
