const SHORTEST_WAIT_MS = 1000;
/** A header beyond this is taken for a mistake: it would stop a team until the process restarts. */
const LONGEST_WAIT_MS = 7 * 24 * 60 * 60 * 1000;
/** What is waited when Slack does not say: 20 to 30 seconds, spread so that callers do not come back together. */
const UNSTATED_WAIT_MS = 20_000;
const UNSTATED_JITTER_MS = 10_000;

/**
 * How long a 429 asks to wait.
 * @param header whole seconds, or an HTTP date; absent or unreadable gives 20 to 30 seconds.
 * @returns milliseconds, at least one second.
 * @see RFC 9110 §10.2.3
 */
export function retryAfterMs(header: string | undefined, now: number, random: () => number): number {
  const stated = header === undefined ? undefined : statedMs(header.trim(), now);
  if (stated === undefined) return Math.round(UNSTATED_WAIT_MS + UNSTATED_JITTER_MS * random());
  return Math.min(Math.max(stated, SHORTEST_WAIT_MS), LONGEST_WAIT_MS);
}

/** Rounded up, so that whoever waits this long does not come too early. */
export function wholeSeconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000));
}

function statedMs(header: string, now: number): number | undefined {
  if (/^\d+(\.\d+)?$/.test(header)) return Number(header) * 1000;
  // Date.parse takes "-5" for a year; an HTTP date begins with the name of a day.
  if (!/^[A-Za-z]{3,9},? /.test(header)) return undefined;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : at - now;
}
