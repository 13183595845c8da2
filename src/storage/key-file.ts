import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { type FileHandle, link, mkdir, open, readdir, realpath, rename, stat, unlink } from 'node:fs/promises';
import { platform } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { Conflict } from '../domain/errors';
import { keyIdOf, SEALING_KEY_BYTES, type SealingKeys } from './cipher';
import type { KeyProvider } from './key-provider';

/** The key file cannot be used. The message names the file and the repair, never its content. */
export class KeyFileRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'KeyFileRefused';
  }
}

/** Below this, two changes may leave the same time behind. */
const FILE_TIME_STEP_MS = 1_000;

/**
 * The embedded default: the gateway's own file with sealing keys, one a line in base64, newest first. A missing file is
 * made, with one key of 32 random bytes.
 */
export class KeyFile implements KeyProvider {
  readonly file = this;
  readonly procedure = {
    toAdd: 'Call rotateSealingKey, or run: npm start -- rotate-sealing-key',
    toRemove: 'When sealingKeys says that the key can be removed, call removeSealingKey.',
  };
  #isNew = false;
  #readAs: string | undefined;

  constructor(readonly path: string) {}

  /** True when loadKeys made the file, so that the operator can be told to keep it. */
  get isNew(): boolean {
    return this.#isNew;
  }

  /** @throws KeyFileRefused when others may read the file, or it holds something that is no key. */
  async loadKeys(): Promise<SealingKeys> {
    this.#isNew = await createKeyFile(this.path);
    return this.#read();
  }

  /** Takes back a file that loadKeys made, when it turned out that another should have been there. @returns whether it did. */
  async discardNew(): Promise<boolean> {
    if (this.#isNew) await unlink(this.path);
    return this.#isNew;
  }

  /**
   * Synchronous, because a value that another process has sealed with a new key is met in the middle of opening it.
   * @returns undefined when the file is as it was read last. @throws Conflict when it cannot be read.
   */
  changedKeys(): SealingKeys | undefined {
    return this.#whileRunning(() => {
      const state = this.#state();
      return state !== undefined && state === this.#readAs ? undefined : this.#read();
    });
  }

  /** Puts a key first. @returns the keys of the file from then on. @throws Conflict when the file cannot be read or written. */
  async addFirst(key: Buffer): Promise<SealingKeys> {
    const keys = this.#readWhileRunning();
    return keys.some((other) => other.equals(key)) ? keys : this.#replace([key, ...keys]);
  }

  /** @returns as addFirst. @throws as addFirst. */
  async remove(keyId: string): Promise<SealingKeys> {
    const keys = this.#readWhileRunning();
    const left = keys.filter((key) => keyIdOf(key) !== keyId);
    if (left.length === 0) throw new Error('The last sealing key is never removed.');
    return left.length === keys.length ? keys : this.#replace(left);
  }

  #readWhileRunning(): SealingKeys {
    return this.#whileRunning(() => this.#read());
  }

  /** In words for whoever runs the gateway, which goes on. */
  #whileRunning<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      const reason =
        error instanceof KeyFileRefused ? error.message : `The key file cannot be read (${codeOf(error)}).`;
      throw new Conflict(reason, {
        remedy: 'Repair the key file. The gateway goes on with the keys that it has.',
        cause: error,
      });
    }
  }

  #read(): SealingKeys {
    const state = this.#state();
    assertPrivate(this.path);
    const lines = readFileSync(this.path, 'utf8')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
    const keys = lines.map((line) => Buffer.from(line, 'base64'));
    const isWhole = keys.every(
      (key, index) => key.length === SEALING_KEY_BYTES && key.toString('base64') === lines[index],
    );
    if (keys.length === 0 || !isWhole || new Set(lines).size < lines.length) {
      throw new KeyFileRefused(
        `The key file ${this.path} does not hold ${SEALING_KEY_BYTES} bytes in base64 on each line, each once. Restore it from a backup: without it the stored tokens cannot be opened.`,
      );
    }
    this.#readAs = state;
    return keys;
  }

  /** @returns undefined when the file may yet change without looking changed. */
  #state(): string | undefined {
    const { ino, size, mtimeMs } = statSync(this.path);
    return Date.now() - mtimeMs < FILE_TIME_STEP_MS ? undefined : `${ino} ${size} ${mtimeMs}`;
  }

  async #replace(keys: SealingKeys): Promise<SealingKeys> {
    try {
      await replaceKeyFile(await realpath(this.path), keys);
    } catch (error) {
      const code = codeOf(error);
      if (code === undefined) throw error;
      throw new Conflict(`The key file cannot be written (${code}); nothing was changed.`, {
        remedy: 'Let the gateway write its data folder, and see that the disk has room. Then try again.',
        cause: error,
      });
    }
    return this.#readWhileRunning();
  }
}

/** Written whole under another name and put in its place in one step: a crash leaves the old file or the new one. */
async function replaceKeyFile(file: string, keys: SealingKeys): Promise<void> {
  const folder = dirname(file);
  await removeDrafts(file);
  const { uid, gid } = await stat(file);
  const draft = draftOf(file);
  try {
    await writeDraft(draft, keys, async (handle) => {
      const own = await handle.stat();
      // Run by root, a command must leave a file that the gateway's user can read.
      if (own.uid !== uid || own.gid !== gid) await handle.chown(uid, gid);
    });
    await rename(draft, file);
  } catch (error) {
    await unlink(draft).catch(() => {});
    throw error;
  }
  await syncFolder(folder);
}

/** What a process that was killed has left: it holds keys, and nobody else is at the file now. */
async function removeDrafts(file: string): Promise<void> {
  const folder = dirname(file);
  const drafts = (await readdir(folder)).filter(
    (name) => name.startsWith(`${basename(file)}.`) && name.endsWith('.new'),
  );
  for (const name of drafts) await unlink(join(folder, name));
}

/**
 * The key is written whole under another name and then linked, which fails when the file exists: neither a crash nor a
 * second process can leave or see half a key, and no key in use is ever replaced.
 */
async function createKeyFile(file: string): Promise<boolean> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (await exists(file)) return false;
  const draft = draftOf(file);
  try {
    await writeDraft(draft, [randomBytes(SEALING_KEY_BYTES)]);
    await link(draft, file);
    // A key lost in a power cut would make every token sealed with it useless, so the folder entry is forced out too.
    await syncFolder(folder);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(draft);
  }
}

function draftOf(file: string): string {
  return `${file}.${randomBytes(6).toString('hex')}.new`;
}

async function writeDraft(
  draft: string,
  keys: SealingKeys,
  prepare: (handle: FileHandle) => Promise<void> = async () => {},
): Promise<void> {
  const handle = await open(draft, 'wx', 0o600);
  try {
    await prepare(handle);
    await handle.writeFile(keys.map((key) => `${key.toString('base64')}\n`).join(''));
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function assertPrivate(file: string): void {
  // Windows has no such mode bits: Node reports every file there as readable by all.
  if (platform() === 'win32') return;
  const { mode } = statSync(file);
  if ((mode & 0o077) === 0) return;
  throw new KeyFileRefused(
    `Other users of this machine can read the key file ${file}. Repair it with: chmod 600 ${file}`,
  );
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

async function syncFolder(folder: string): Promise<void> {
  if (platform() === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function codeOf(error: unknown): string | undefined {
  const code: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : undefined;
}
