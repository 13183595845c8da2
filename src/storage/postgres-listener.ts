import type { DataSource } from 'typeorm';
import { backoffMs } from '../shared/backoff';
import { systemClock } from '../shared/clock';
import type { Logger } from '../shared/logger';
import type { Secret } from '../shared/secret';
import { type LocalFeed, parseChange } from './connection-feed';
import { CHANGE_CHANNEL } from './dialect';
import { driverFailureOf } from './storage-failure';

const CONNECT_TIMEOUT_MS = 5_000;
const ANSWER_TIMEOUT_MS = 5_000;
/** A connection that only listens would not notice that the other end has gone without a word. */
const PROBED_EVERY_MS = 30_000;
const RECONNECT_BACKOFF = { baseMs: 100, capMs: 5_000 };
const FAREWELL_MS = 500;

/** The part of the driver's client that is used here; the package comes without types. */
interface Client {
  connect(): Promise<unknown>;
  query(sql: string): Promise<unknown>;
  end(): Promise<void>;
  unref(): void;
  on(event: 'error' | 'end', listener: () => void): unknown;
  on(event: 'notification', listener: (message: { payload?: string }) => void): unknown;
}

interface Driver {
  readonly Client: new (options: Record<string, unknown>) => Client;
}

interface Listening {
  readonly client: Client;
  /** Aborts when the connection is gone, or is to be given up. */
  readonly lost: AbortSignal;
  readonly lose: () => void;
}

/**
 * Hears what replicas commit, over a connection beside the pool, so that it takes no place there. It lives by real time:
 * it is the network that it waits for.
 */
export class PostgresListener {
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  private constructor(
    private readonly driver: Driver,
    private readonly url: Secret,
    private readonly feed: LocalFeed,
    private readonly logger: Logger,
  ) {}

  /** Resolves once it listens, or after a first attempt that failed; further ones follow by themselves. */
  static async start(dataSource: DataSource, url: Secret, feed: LocalFeed, logger: Logger): Promise<PostgresListener> {
    const driver: Driver = Reflect.get(dataSource.driver, 'postgres');
    const listener = new PostgresListener(driver, url, feed, logger);
    const listening = await listener.#listen();
    listener.#running = listener.#keepListening(listening);
    return listener;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #keepListening(first: Listening | undefined): Promise<void> {
    const { signal } = this.#stopping;
    let listening = first;
    for (let attempt = 0; ; attempt += 1) {
      if (listening) {
        await watch(listening);
        await farewell(listening.client);
        if (signal.aborted) return;
        this.logger.warn({}, 'The database connection that hears of changes was lost');
        attempt = 0;
      }
      const waitMs = backoffMs(attempt, { ...RECONNECT_BACKOFF, random: Math.random });
      await systemClock.sleep(waitMs, signal).catch(() => {});
      if (signal.aborted) return;
      listening = await this.#listen();
      // What was committed meanwhile has been missed.
      if (listening) this.feed.publish(undefined);
    }
  }

  /** @returns undefined when the database cannot be reached. */
  async #listen(): Promise<Listening | undefined> {
    const client = new this.driver.Client({
      connectionString: this.url.reveal(),
      application_name: 'rollcall',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: ANSWER_TIMEOUT_MS,
      keepAlive: true,
    });
    const losing = new AbortController();
    const lose = () => losing.abort(new Error('The connection is lost.'));
    client.on('error', lose);
    client.on('end', lose);
    this.#stopping.signal.addEventListener('abort', lose, { once: true, signal: losing.signal });
    client.on('notification', ({ payload }) => this.feed.publish(parseChange(payload)));
    try {
      await unlessAborted(losing.signal, client.connect());
      await unlessAborted(losing.signal, client.query(`LISTEN ${CHANGE_CHANNEL}`));
      return { client, lost: losing.signal, lose };
    } catch (error) {
      this.logger.debug({ driverCode: driverFailureOf(error).code }, 'The database cannot be listened to');
      lose();
      await farewell(client);
      return undefined;
    }
  }
}

/** Resolves when the connection is lost. */
async function watch({ client, lost, lose }: Listening): Promise<void> {
  while (!lost.aborted) {
    await systemClock.sleep(PROBED_EVERY_MS, lost).catch(() => {});
    if (!lost.aborted) await unlessAborted(lost, client.query('SELECT 1')).catch(lose);
  }
}

/** The driver leaves who connects without an answer when the connection is ended meanwhile. @throws the signal's reason */
async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const done = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: done.signal });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    done.abort();
  }
}

/** On a half-open connection the end is never confirmed; it must not keep the process. */
async function farewell(client: Client): Promise<void> {
  const ended = new AbortController();
  const ending = client.end().catch(() => {});
  await Promise.race([ending, systemClock.sleep(FAREWELL_MS, ended.signal).catch(() => {})]);
  ended.abort();
  client.unref();
}
