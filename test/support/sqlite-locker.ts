import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** Takes the write lock of a SQLite file in another process. @returns what lets go of it. */
export async function lockFromOutside(file: string): Promise<() => Promise<void>> {
  const child = fork(join(__dirname, 'sqlite-locker-process.cjs'), [file]);
  const ended = once(child, 'exit');
  await Promise.race([
    once(child, 'message'),
    ended.then(() => {
      throw new Error('The locking process ended before it had the lock.');
    }),
  ]);
  return async () => {
    child.send('release');
    await ended;
  };
}
