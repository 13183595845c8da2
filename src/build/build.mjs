// Builds Rollcall into dist/: the server with tsc, the playground with Vite, both at once.
//
//   node src/build/build.mjs              builds both
//   node src/build/build.mjs --if-stale   builds what has changed since the last build, and returns at once if nothing has

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const dist = join(root, 'dist');
const lock = join(dist, '.build-lock');
const lockPollMs = 200;
const lockLimitMs = 5 * 60_000;
/** Between making the lock and signing it; older unsigned ones were left behind. */
const lockSigningMs = 5_000;

/** A failure that a person can do something about: printed without a stack. */
class BuildError extends Error {}

/**
 * @typedef {object} Part
 * @property {string} name
 * @property {string} output file that is there once the part has been built
 * @property {string} tool package that builds it
 * @property {string} toolPath script of that package
 * @property {string[]} args
 * @property {() => string[]} listInputs absolute paths of everything the output depends on
 * @property {(stdout: string) => void} [tidy] removes what an earlier build left and this one did not write
 */

/** @type {Part[]} */
const parts = [
  {
    name: 'server',
    output: join(dist, 'src/main.js'),
    tool: 'typescript',
    toolPath: 'bin/tsc',
    // A build with errors writes nothing, so the last good one stays in place.
    args: ['-p', 'src/tsconfig.json', '--noEmitOnError', '--listEmittedFiles', '--pretty', 'false'],
    listInputs: () => [
      ...listFiles(join(root, 'src'), ['build', 'console']).filter((path) => path.endsWith('.ts')),
      ...['ormconfig.ts', 'tsconfig.json', 'src/tsconfig.json'].map((path) => join(root, path)),
    ],
    tidy: (stdout) => {
      const emitted = new Set([...stdout.matchAll(/^TSFILE: (.+)$/gm)].map(([, path]) => resolve(root, path.trim())));
      // An empty list would mean that the compiler words it differently, not that there is nothing to keep.
      if (emitted.size === 0) return;
      for (const path of listFiles(join(dist, 'src'))) if (!emitted.has(path)) rmSync(path, { force: true });
    },
  },
  {
    name: 'playground',
    output: join(dist, 'playground/index.html'),
    tool: 'vite',
    toolPath: 'bin/vite.js',
    args: ['build', '--config', 'src/console/vite.config.ts', '--logLevel', 'warn'],
    listInputs: () => [...listFiles(join(root, 'src/console')), ...listFiles(join(root, 'schema/operations'))],
  },
];

/** Files below a folder, sorted; [] when the folder is not there. `skipped` names folders directly in it. */
function listFiles(folder, skipped = []) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !(entry.isDirectory() && skipped.includes(entry.name)))
    .flatMap((entry) => (entry.isDirectory() ? listFiles(join(folder, entry.name)) : [join(folder, entry.name)]))
    .sort();
}

/**
 * What the output of a part was made from: its inputs, this script, the versions of Node and of all packages. Contents
 * and not times are compared, since a checkout or a copied folder changes every time and nothing else; reading some
 * hundred files costs about ten milliseconds.
 */
function fingerprint(part) {
  const hash = createHash('sha256').update(process.version);
  const shared = [fileURLToPath(import.meta.url), join(root, 'package-lock.json')];
  for (const path of [...shared, ...part.listInputs()]) {
    hash.update(`\0${relative(root, path)}\0`);
    if (existsSync(path)) hash.update(readFileSync(path));
  }
  return hash.digest('hex');
}

function stampPath(part) {
  return join(dist, '.stamps', part.name);
}

function isStale(part) {
  const stamp = stampPath(part);
  return !existsSync(part.output) || !existsSync(stamp) || readFileSync(stamp, 'utf8') !== fingerprint(part);
}

function seconds(sinceMs) {
  return `${((Date.now() - sinceMs) / 1000).toFixed(1)} s`;
}

/** @returns {string} path of the script that builds the part. */
function findTool(part) {
  try {
    const manifest = createRequire(import.meta.url).resolve(`${part.tool}/package.json`);
    return join(dirname(manifest), part.toolPath);
  } catch {
    throw new BuildError(
      `${part.name}: the package "${part.tool}" is not installed.\n` +
        'Run `npm ci` first. It must not leave out the development dependencies (--omit=dev, NODE_ENV=production).',
    );
  }
}

const children = new Set();

/** @returns {Promise<{ exitCode: number | null, stdout: string, output: string }>} never rejects once started. */
function run(script, args) {
  return new Promise((settle, reject) => {
    const child = spawn(process.execPath, [script, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    children.add(child);
    let stdout = '';
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      stdout += chunk;
      output += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk) => {
      output += chunk;
    });
    child.on('error', reject);
    child.on('close', (exitCode) => {
      children.delete(child);
      settle({ exitCode, stdout, output });
    });
  });
}

async function build(part) {
  const startedAt = Date.now();
  const script = findTool(part);
  // Taken before the tool reads the inputs: a file changed meanwhile makes the next run build again.
  const made = fingerprint(part);
  rmSync(stampPath(part), { force: true });

  const { exitCode, stdout, output } = await run(script, part.args);
  if (exitCode !== 0) {
    const said = output.replaceAll(/^TSFILE: .*\n?/gm, '').trim();
    throw new BuildError(
      `${part.name}: ${part.tool} failed (exit code ${exitCode}).\n${said}\nMend the above, then run \`npm run build\`.`,
    );
  }
  if (!existsSync(part.output)) {
    throw new BuildError(`${part.name}: ${part.tool} ended well but did not write ${relative(root, part.output)}.`);
  }
  part.tidy?.(stdout);
  mkdirSync(dirname(stampPath(part)), { recursive: true });
  writeFileSync(stampPath(part), made);
  console.log(`build: ${part.name} built in ${seconds(startedAt)}`);
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** @returns {number | undefined} process that holds the lock; undefined when it was left behind, as by a kill. */
function lockHolder() {
  try {
    const age = Date.now() - statSync(lock).mtimeMs;
    const signature = join(lock, 'pid');
    if (!existsSync(signature)) return age < lockSigningMs ? Number.NaN : undefined;
    const pid = Number(readFileSync(signature, 'utf8'));
    // Our own number on it means that a new container gave it to us again.
    return pid !== process.pid && isAlive(pid) ? pid : undefined;
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Renamed first: of two that find a lock left behind, one alone can do that, so neither removes the other's new one. */
function removeAbandonedLock() {
  const aside = `${lock}-${process.pid}`;
  try {
    renameSync(lock, aside);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  rmSync(aside, { recursive: true, force: true });
}

/** Waits for its turn: two builds at once would write into each other's files. */
async function takeLock() {
  const startedAt = Date.now();
  let isTold = false;
  mkdirSync(dist, { recursive: true });
  for (;;) {
    try {
      mkdirSync(lock);
      writeFileSync(join(lock, 'pid'), String(process.pid));
      process.once('exit', () => rmSync(lock, { recursive: true, force: true }));
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const holder = lockHolder();
    if (holder === undefined) {
      removeAbandonedLock();
      continue;
    }
    if (Date.now() - startedAt > lockLimitMs) {
      throw new BuildError(
        `Another build (process ${holder}) does not end. Stop it, or remove ${lock}, and try again.`,
      );
    }
    if (!isTold) console.log('build: waiting for another build that is running');
    isTold = true;
    await sleep(lockPollMs);
  }
}

/** Ends with the children: a tool that outlives us would go on writing without the lock. */
function stopOnSignals() {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, () => {
      for (const child of children) child.kill('SIGTERM');
      console.error('build: stopped');
      process.exit(1);
    });
  }
}

/** @returns {string} what went wrong, in words for a person. */
function explain(error) {
  if (error instanceof BuildError) return error.message;
  if (['EACCES', 'EPERM', 'EROFS'].includes(error?.code)) {
    return `cannot write to ${error.path ?? dist} (${error.code}).\nMake the folder writable for this user, or build as its owner.`;
  }
  if (['EEXIST', 'ENOTDIR'].includes(error?.code))
    return `${error.path ?? dist} is in the way: a folder must go there.`;
  if (error?.code === 'ENOSPC') return `no space left on the disk that holds ${dist}.`;
  return String(error?.stack ?? error);
}

function report(error) {
  console.error(`build: ${explain(error)}`);
  process.exitCode = 1;
}

async function main() {
  const isConditional = process.argv.includes('--if-stale');
  const choose = () => parts.filter((part) => !isConditional || isStale(part));
  if (choose().length === 0) return;

  stopOnSignals();
  await takeLock();
  // Chosen again: the build we waited for may have done it all.
  const chosen = choose();
  if (chosen.length === 0) return;
  console.log(`build: ${chosen.map((part) => part.name).join(' and ')} (some seconds, up to a minute the first time)`);

  // All are awaited even if one fails, so that nothing is being written when the lock is given back.
  await Promise.all(chosen.map((part) => build(part).catch(report)));
}

await main().catch(report);
