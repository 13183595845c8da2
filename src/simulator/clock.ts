/** The simulator's idea of time. Limits, delays, expiry and `meta.created` follow it; sockets and latency follow real time. */
export interface SimulatorClock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

/** A clock that can be moved forward, by a test or over the control route. */
export interface MovableClock extends SimulatorClock {
  /** @param ms a positive number of milliseconds. */
  advance(ms: number): void;
}

export function isMovable(clock: SimulatorClock): clock is MovableClock {
  return 'advance' in clock && typeof clock.advance === 'function';
}

/** Stands still until it is advanced. */
export class ManualClock implements MovableClock {
  #nowMs: number;

  constructor(startMs = Date.UTC(2026, 0, 5, 17, 0, 0)) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  advance(ms: number): void {
    this.#nowMs += forward(ms);
  }
}

/** Real time plus whatever it was advanced by: the default. */
export class OffsetClock implements MovableClock {
  #offsetMs = 0;

  now(): number {
    return Date.now() + this.#offsetMs;
  }

  advance(ms: number): void {
    this.#offsetMs += forward(ms);
  }
}

// Buckets and pending changes assume that time never runs backwards.
function forward(ms: number): number {
  if (!Number.isFinite(ms) || ms < 0) throw new RangeError('A clock is advanced by a positive number of milliseconds');
  return ms;
}

const pacific = new Intl.DateTimeFormat('en-US', {
  timeZone: 'America/Los_Angeles',
  hourCycle: 'h23',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  timeZoneName: 'longOffset',
});

/** ISO 8601 in US Pacific time with its offset, e.g. `2024-04-08T09:15:02-07:00` (SCIM §4.2 `meta.created`, documented). */
export function pacificTimestamp(ms: number): string {
  const parts = new Map(pacific.formatToParts(ms).map(({ type, value }) => [type, value]));
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? '';
  const offset = part('timeZoneName').replace('GMT', '');
  return `${part('year')}-${part('month')}-${part('day')}T${part('hour')}:${part('minute')}:${part('second')}${offset}`;
}
