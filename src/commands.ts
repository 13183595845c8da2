import type { Config } from './config';
import { AccessService } from './domain/access/access.service';
import { AppError } from './domain/errors';
import { KeyCustody } from './domain/keys/key-custody.service';
import { type ResealProgress, ResealService } from './domain/keys/reseal.service';
import { type SealingKeyUse, totalOf } from './domain/keys/sealing-key';
import { systemClock } from './shared/clock';
import type { Logger } from './shared/logger';
import { keyProviderOf } from './storage/key-source';
import { openStorage, type Storage } from './storage/open-storage';

/** The outside of a command: what it says goes to a person, not to the log. */
export interface CommandMeans {
  /** What follows the command's name. */
  readonly options: readonly string[];
  readonly config: Config;
  readonly logger: Logger;
  readonly print: (text: string) => void;
}

/** Something that was to be expected kept a command from its work. */
export class CommandFailed extends Error {
  constructor({ message, remedy }: AppError) {
    super(remedy === undefined ? message : `${message} ${remedy}`);
    this.name = 'CommandFailed';
  }
}

type Command = (storage: Storage, means: CommandMeans) => Promise<boolean>;

const PROGRESS_EVERY_MS = 1_000;
const TO_OLDER_KEY = '--to-older-key';

const commands: Readonly<Record<string, Command>> = {
  'create-admin-key': createAdminKey,
  'sealing-keys': showSealingKeys,
  'rotate-sealing-key': rotateSealingKey,
  reseal,
};

export const commandNames: readonly string[] = Object.keys(commands);

/**
 * Does one thing and ends. Every command may run beside gateways that serve the same database.
 * @returns whether everything that the command is for is done.
 * @throws CommandFailed, and what openStorage throws.
 */
export async function runCommand(name: string, means: CommandMeans): Promise<boolean> {
  const command = commands[name];
  if (!command) throw new Error(`There is no command ${name}`);
  const { config, logger } = means;
  const keys = keyProviderOf(config.sealing);
  const storage = await openStorage({ database: config.database, keys, clock: systemClock, logger, role: 'command' });
  try {
    return await command(storage, means);
  } catch (error) {
    throw error instanceof AppError ? new CommandFailed(error) : error;
  } finally {
    await storage.close();
  }
}

/** For an operator who lost every admin key. */
async function createAdminKey({ database }: Storage, { print }: CommandMeans): Promise<boolean> {
  const { secret } = await new AccessService(database, systemClock).issueRecoveryKey();
  print(`Admin key (shown once): ${secret.reveal()}`);
  return true;
}

async function showSealingKeys(storage: Storage, means: CommandMeans): Promise<boolean> {
  means.print(tableOf(await custodyOf(storage, means).describe()));
  return true;
}

async function rotateSealingKey(storage: Storage, means: CommandMeans): Promise<boolean> {
  const keyId = await custodyOf(storage, means).rotate();
  means.print(`New sealing key ${keyId}, first in the key file. A gateway that is running takes it up by itself.`);
  return reseal(storage, means);
}

/** Waits for another process that is at it. */
async function reseal(storage: Storage, means: CommandMeans): Promise<boolean> {
  const custody = custodyOf(storage, means);
  const resealer = new ResealService({
    database: storage.database,
    ring: storage.keys,
    clock: systemClock,
    logger: means.logger,
    onProgress: progressPrinter(means.print),
  });
  const run = () => resealer.run({ isForced: means.options.includes(TO_OLDER_KEY) });
  let outcome = await run();
  for (; outcome === 'ELSEWHERE'; outcome = await run()) {
    means.print(`Another process is sealing the stored secrets anew; left: ${await custody.countOld()}`);
    await systemClock.sleep(PROGRESS_EVERY_MS);
  }
  const use = await custody.describe();
  const left = await custody.countOld();
  means.print(tableOf(use));
  if (outcome === 'SUPERSEDED') {
    means.print(
      `A replica has a newer key first. Run this with that key first, or, to go back to the one that is first here: npm start -- reseal ${TO_OLDER_KEY}`,
    );
    return false;
  }
  means.print(
    left === 0
      ? 'Nothing is left under an older key.'
      : `Left under an older key: ${left}. What cannot be opened stays until its connection gets a new token or is disconnected; the log names the connections.`,
  );
  return left === 0;
}

function custodyOf({ database, keys }: Storage, { logger }: CommandMeans): KeyCustody {
  return new KeyCustody(database, keys, systemClock, logger);
}

function progressPrinter(print: CommandMeans['print']): (progress: ResealProgress) => void {
  let printedAt = 0;
  return ({ found, resealed, unreadable, isRunning }) => {
    const isDue = systemClock.now() - printedAt >= PROGRESS_EVERY_MS;
    if (isRunning && (resealed + unreadable === 0 || !isDue)) return;
    printedAt = systemClock.now();
    print(`Sealed anew: ${resealed} of ${found}${unreadable > 0 ? `; cannot be opened: ${unreadable}` : ''}`);
  };
}

function tableOf({ keys, unidentifiedValues }: SealingKeyUse): string {
  const lines = keys.map(
    (key) =>
      `${key.id}  ${String(totalOf(key)).padStart(6)}  ${key.isNewest ? 'newest' : key.isLoaded ? 'older ' : 'absent'}  ${key.note}`,
  );
  if (unidentifiedValues > 0)
    lines.push(`damaged   ${String(unidentifiedValues).padStart(6)}  of no key that can be told`);
  return ['Key       Values  State   ', ...lines].join('\n');
}
