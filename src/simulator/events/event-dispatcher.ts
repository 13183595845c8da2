import { randomUUID } from 'node:crypto';
import type { SimulatorClock } from '../clock';
import type { SlackApp } from '../oauth/slack-app';
import type { Switches } from '../switches';
import { deriveId } from '../world/derivation';
import type { Actor, Place } from '../world/oauth-records';
import type { World } from '../world/world';
import { type FailureReason, type Outcome, post } from './delivery';
import { type EventFacts, envelope, tokensRevokedEvent } from './event-envelope';
import type { EventSink } from './event-sink';

/** Waits before the three retries: at once, after a minute, after five (OAuth §12.5, documented). */
const retryDelaysMs = [0, 60_000, 300_000];
/** How often the simulator's clock is looked at, in real time, while something waits for it. */
const pollMs = 50;

/** One attempt to send one event. */
export interface EventRecord {
  readonly eventId: string;
  readonly type: string;
  /** 0 for the first attempt, then 1 to 3. */
  readonly retry: number;
  readonly retryReason: FailureReason | null;
  /** Null when no answer came, and while the attempt runs. */
  status: number | null;
  failure: FailureReason | null;
  /** On the simulator's clock. */
  readonly at: number;
}

interface Parcel {
  readonly eventId: string;
  readonly type: string;
  readonly body: string;
  retry: number;
  reason: FailureReason | null;
  copiesLeft: number;
  dueAt: number;
}

export interface DispatcherParts {
  readonly app: SlackApp;
  readonly clock: SimulatorClock;
  readonly switches: Readonly<Switches>;
  readonly signal: AbortSignal;
  world(): World;
}

const longestLog = 1_000;

/** Sends events to the app's request URL: signed, one after the other, with Slack's retries by the simulator's clock. */
export class EventDispatcher implements EventSink {
  readonly records: EventRecord[] = [];
  readonly #parts: DispatcherParts;
  /** Keeps ids apart that two runs of one seed would share: the app may remember them for long. */
  readonly #run = randomUUID();
  #url: string | null = null;
  #issued = 0;
  #queue: Parcel[] = [];
  #working: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #burst: Parcel[] = [];
  /** Rises when everything is forgotten, so that what was on its way then is not tried again. */
  #generation = 0;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
    parts.signal.addEventListener('abort', () => this.clear(), { once: true });
  }

  get url(): string | null {
    return this.#url;
  }

  /**
   * Registers the request URL after a signed `url_verification` (OAuth §12.1, documented).
   * @param url null to send nothing any more.
   * @throws RangeError when the challenge does not come back.
   */
  async register(url: string | null): Promise<void> {
    if (url !== null) {
      const challenge = deriveId(randomUUID(), 'challenge', 12).toLowerCase().repeat(4);
      const body = JSON.stringify({ token: this.#parts.app.verificationToken, challenge, type: 'url_verification' });
      const outcome = await this.#post(url, body);
      if (outcome.failure !== null || !hasChallenge(outcome.body, challenge)) {
        throw new RangeError(`The request URL did not answer the challenge (${outcome.failure ?? 'wrong answer'})`);
      }
    }
    this.#url = url;
  }

  tokensRevoked(place: Place, actors: readonly Actor[]): void {
    this.#emit(tokensRevokedEvent(actors), place, actors[0]);
  }

  appUninstalled(place: Place): void {
    this.#emit({ type: 'app_uninstalled' }, place, undefined);
  }

  teamAccessChanged(place: Place, change: 'granted' | 'revoked', teamIds: readonly string[]): void {
    this.#emit({ type: `team_access_${change}`, team_ids: teamIds }, place, undefined);
  }

  /** Sends what is due by now, and waits until nothing is on its way any more. */
  async settle(): Promise<void> {
    do {
      this.#start();
      await this.#working;
    } while (this.#hasDue());
  }

  /** Forgets what was not sent, and the log; the request URL stays. */
  clear(): void {
    this.#generation += 1;
    this.#queue = [];
    this.#burst = [];
    this.records.length = 0;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #emit(inner: EventFacts, place: Place, actor: Actor | undefined): void {
    const { app, clock, switches } = this.#parts;
    if (this.#url === null || !switches.subscribedEvents.includes(inner.type)) return;
    this.#issued += 1;
    const now = clock.now();
    const eventId = `Ev0${deriveId(this.#run, `event/${this.#issued}`, 9)}`;
    const body = JSON.stringify(
      envelope(inner, { world: this.#parts.world(), app, switches, place, actor, eventId, now }),
    );
    const dueAt = now + switches.eventDelayMs;
    const parcel = {
      eventId,
      type: inner.type,
      body,
      retry: 0,
      reason: null,
      copiesLeft: switches.eventDuplicates,
      dueAt,
    };
    this.#burst.push(parcel);
    // Whatever one call brings about is one burst, which the order switch turns round.
    if (this.#burst.length === 1) setImmediate(() => this.#takeBurst());
  }

  #takeBurst(): void {
    const burst = this.#parts.switches.eventsReversed ? this.#burst.reverse() : this.#burst;
    this.#burst = [];
    this.#queue.push(...burst);
    this.#start();
  }

  #start(): void {
    if (this.#burst.length > 0) this.#takeBurst();
    if (this.#working || this.#parts.signal.aborted) return;
    if (this.#hasDue()) {
      this.#working = this.#work().finally(() => {
        this.#working = null;
        this.#start();
      });
    } else if (this.#queue.length > 0 && !this.#timer) {
      this.#timer = setTimeout(() => {
        this.#timer = null;
        this.#start();
      }, pollMs);
      this.#timer.unref();
    }
  }

  #hasDue(): boolean {
    if (this.#parts.signal.aborted) return false;
    return this.#burst.length > 0 || this.#queue.some(({ dueAt }) => dueAt <= this.#parts.clock.now());
  }

  async #work(): Promise<void> {
    for (let parcel = this.#next(); parcel; parcel = this.#next()) await this.#attempt(parcel);
  }

  #next(): Parcel | undefined {
    const index = this.#queue.findIndex(({ dueAt }) => dueAt <= this.#parts.clock.now());
    return index === -1 ? undefined : this.#queue.splice(index, 1)[0];
  }

  async #attempt(parcel: Parcel): Promise<void> {
    if (this.#url === null) return;
    const { eventId, type, retry, reason } = parcel;
    const generation = this.#generation;
    const at = this.#parts.clock.now();
    const record: EventRecord = { eventId, type, retry, retryReason: reason, status: null, failure: null, at };
    this.records.push(record);
    if (this.records.length > longestLog) this.records.shift();
    const headers: Record<string, string> =
      retry === 0 ? {} : { 'x-slack-retry-num': String(retry), 'x-slack-retry-reason': String(reason) };
    const { status, failure, isFinal } = await this.#post(this.#url, parcel.body, headers);
    Object.assign(record, { status, failure });
    if (generation !== this.#generation) return;
    if (failure === null) this.#sendCopy(parcel);
    else if (!isFinal) this.#retry(parcel, failure);
  }

  #sendCopy(parcel: Parcel): void {
    if (parcel.copiesLeft === 0) return;
    this.#queue.push({ ...parcel, copiesLeft: parcel.copiesLeft - 1 });
  }

  #retry(parcel: Parcel, reason: FailureReason): void {
    const delay = retryDelaysMs[parcel.retry];
    if (delay === undefined) return;
    this.#queue.push({ ...parcel, retry: parcel.retry + 1, reason, dueAt: this.#parts.clock.now() + delay });
  }

  #post(url: string, body: string, headers: Record<string, string> = {}): Promise<Outcome> {
    const { app, clock, switches, signal } = this.#parts;
    const timestampSeconds = Math.floor(clock.now() / 1000) + switches.eventClockSkewSeconds;
    const { eventTimeoutMs: timeoutMs } = switches;
    return post({ url, body, signingSecret: app.signingSecret, timestampSeconds, timeoutMs, headers, signal });
  }
}

/** As plain text, as a form field or as JSON (OAuth §12.1, documented). */
function hasChallenge(body: string, challenge: string): boolean {
  if (body.trim() === challenge || new URLSearchParams(body.trim()).get('challenge') === challenge) return true;
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null && 'challenge' in parsed && parsed.challenge === challenge;
  } catch {
    return false;
  }
}
