import { InvalidInput } from '../errors';

const LONGEST_URL = 2_000;
const path = ['input', 'returnUrl'];

/** Readers of addresses disagree about these: some take a backslash for a slash, drop blanks, or decode `%2f` into a step. */
const ambiguous = /[\s\\\p{Cc}\p{Cf}]|%(?:2f|5c|00|0a|0d)/iu;

/**
 * Checks where a partner wants people to be sent after an installation. Whoever may name any address could make this
 * gateway lend its good name to it, so only addresses below those that the operator has listed are taken.
 * @param allowed of the configuration; each an https address, or http on this machine
 * @returns the address as it will be used
 * @throws InvalidInput
 */
export function parseReturnUrl(text: string | undefined, allowed: readonly string[]): string | undefined {
  if (text === undefined) return undefined;
  if (allowed.length === 0) {
    throw new InvalidInput('This gateway sends nobody anywhere: its operator has allowed no return addresses.', {
      path,
      remedy: 'Leave returnUrl out, or ask the operator to list the address in ROLLCALL_RETURN_URLS.',
    });
  }
  const url = allowedUrl(text, allowed);
  if (url) return url.href;
  throw new InvalidInput('This return address is not one that the operator of this gateway has allowed.', {
    path,
    remedy:
      'Use an https address without user name that begins with one listed in ROLLCALL_RETURN_URLS, or ask the operator to list it.',
  });
}

/**
 * The address with the result in its query: `install`, `status` and, once there is one, `connection`.
 * @returns undefined when it is not allowed (any more)
 */
export function returnUrlWith(
  text: string | undefined,
  allowed: readonly string[],
  result: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const url = text === undefined ? undefined : allowedUrl(text, allowed);
  if (!url) return undefined;
  // Part by part, so that what the partner wrote stays as it was written.
  const kept = url.search
    .slice(1)
    .split('&')
    .filter(
      (part) => part !== '' && ![...new URLSearchParams(part).keys()].some((name) => Object.hasOwn(result, name)),
    );
  const added = Object.entries(result).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  url.search = [...kept, ...added].join('&');
  return url.href;
}

function allowedUrl(text: string, allowed: readonly string[]): URL | undefined {
  if (text.length > LONGEST_URL || ambiguous.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return undefined;
  return allowed.some((entry) => isAtOrBelow(url, new URL(entry))) ? url : undefined;
}

/** By what both addresses mean and not by how they begin: `https://app.example` is no start of `https://app.example.evil`. */
function isAtOrBelow(url: URL, entry: URL): boolean {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return false;
  if (url.origin !== entry.origin) return false;
  const folder = entry.pathname.replace(/\/+$/, '');
  return url.pathname === folder || url.pathname.startsWith(`${folder}/`);
}
