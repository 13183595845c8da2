import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { freemem } from 'node:os';
import { join } from 'node:path';

export interface RunFolder {
  readonly path: string;
  remove(): void;
}

/** Ten times what a run needs at its peak. */
const NEEDED_BYTES = 1024 ** 3;

/**
 * A folder in memory for the temporary files of a test run. The gateways of the tests commit thousands of times, and each
 * commit waits for the disk; what a killed process has written survives it in memory as well.
 * @returns undefined where there is no such place, or too little of it: the disk does, and takes longer.
 */
export function makeRunFolder(parent = '/dev/shm'): RunFolder | undefined {
  let path: string | undefined;
  try {
    const { bavail, bsize } = statfsSync(parent);
    if (bavail * bsize < NEEDED_BYTES || freemem() < NEEDED_BYTES) return undefined;
    path = mkdtempSync(join(parent, 'rollcall-run-'));
    const folder = path;
    const remove = () => rmSync(folder, { recursive: true, force: true });
    process.once('exit', remove);
    // PostgreSQL runs as another account when the tests run as root.
    chmodSync(folder, 0o711);
    assertExecutable(folder);
    return { path: folder, remove };
  } catch {
    if (path !== undefined) rmSync(path, { recursive: true, force: true });
    return undefined;
  }
}

/** Some systems let no program start from there; tests start some that they copied. */
function assertExecutable(folder: string): void {
  const script = join(folder, 'probe');
  writeFileSync(script, '#!/bin/sh\n', { mode: 0o755 });
  execFileSync(script);
  rmSync(script);
}
