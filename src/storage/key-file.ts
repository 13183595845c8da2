import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, stat, unlink } from 'node:fs/promises';
import { platform } from 'node:os';
import { dirname } from 'node:path';
import { SEALING_KEY_BYTES, type SealingKeys } from './cipher';

/** The key file cannot be used. The message names the file and the repair, never its content. */
export class KeyFileRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'KeyFileRefused';
  }
}

/**
 * The embedded default's sealing key: reads the file, or makes it with 32 random bytes in base64.
 * @returns created: true when the file is new, so that the caller can tell the operator to keep it.
 * @throws KeyFileRefused when others may read the file, or it holds no key.
 */
export async function readOrCreateKeyFile(file: string): Promise<{ keys: SealingKeys; created: boolean }> {
  const created = await createKeyFile(file);
  await assertPrivate(file);
  const text = (await readFile(file, 'utf8')).trim();
  const key = Buffer.from(text, 'base64');
  if (key.length !== SEALING_KEY_BYTES || key.toString('base64') !== text) {
    throw new KeyFileRefused(
      `The key file ${file} does not hold ${SEALING_KEY_BYTES} bytes in base64. Restore it from a backup: without it the stored tokens cannot be opened.`,
    );
  }
  return { keys: [key], created };
}

/**
 * The key is written whole under another name and then linked, which fails when the file exists: neither a crash nor a
 * second process can leave or see half a key, and no key in use is ever replaced.
 */
async function createKeyFile(file: string): Promise<boolean> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (await exists(file)) return false;
  const draft = `${file}.${randomBytes(6).toString('hex')}.new`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(`${randomBytes(SEALING_KEY_BYTES).toString('base64')}\n`);
    await handle.sync();
    await link(draft, file);
    // A key lost in a power cut would make every token sealed with it useless, so the folder entry is forced out too.
    await syncFolder(folder);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await handle.close();
    await unlink(draft);
  }
}

async function assertPrivate(file: string): Promise<void> {
  // Windows has no such mode bits: Node reports every file there as readable by all.
  if (platform() === 'win32') return;
  const { mode } = await stat(file);
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
    if (hasCode(error, 'ENOENT')) return false;
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

function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
