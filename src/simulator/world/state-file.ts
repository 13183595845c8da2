import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { restoreWorld, snapshotOf } from './snapshot';
import type { World } from './world';

const quietMs = 200;

/** Keeps a world in a file: written some time after the last change, beside the old one, then renamed over it. */
export class StateFile {
  readonly #path: string;
  readonly #warn: (message: string) => void;
  #timer: NodeJS.Timeout | null = null;
  #pending: (() => World) | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string, warn: (message: string) => void) {
    this.#path = path;
    this.#warn = warn;
  }

  /** The kept world, or undefined when there is none. A file that cannot be read as one is put aside with a warning. */
  async read(seed: string): Promise<World | undefined> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    try {
      return restoreWorld(seed, JSON.parse(text));
    } catch {
      const aside = `${this.#path}.broken`;
      await rename(this.#path, aside);
      this.#warn(
        `The simulator's state file could not be read; it was put aside as ${aside} and a new world was seeded`,
      );
      return undefined;
    }
  }

  /** Asks for a write soon; further requests in the meantime are covered by it. */
  schedule(world: () => World): void {
    this.#pending = world;
    if (this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#writePending();
    }, quietMs);
    this.#timer.unref();
  }

  /** Writes what is still pending, and waits until it is on disk. */
  async flush(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#writePending();
    await this.#writing;
  }

  #writePending(): void {
    const world = this.#pending;
    if (!world) return;
    this.#pending = null;
    this.#writing = this.#writing.then(() => this.#write(world()));
  }

  async #write(world: World): Promise<void> {
    const temporary = `${this.#path}.new`;
    try {
      await mkdir(dirname(this.#path), { recursive: true });
      await writeFile(temporary, JSON.stringify(snapshotOf(world)), { mode: 0o600 });
      // The mode of writeFile counts for new files only.
      await chmod(temporary, 0o600);
      await rename(temporary, this.#path);
    } catch (error) {
      this.#warn(
        `The simulator's state could not be written: ${error instanceof Error ? error.message : 'unknown error'}`,
      );
    }
  }
}

function isMissing(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';
}
