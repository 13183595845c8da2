import type { Switches } from '../switches';

const loopbackHosts = ['127.0.0.1', 'localhost'];
/** Also below the path that a reverse proxy adds. */
const callbackPaths = ['/api/auth/callback/slack', '/slack/oauth_redirect'];

/**
 * Whether the app may be reached at this URL: it equals a registered one or lies below it, is HTTPS and has no fragment
 * (OAuth §2, documented). HTTP is for loopback alone (U13).
 */
export function isRegisteredRedirect(text: string, switches: Readonly<Switches>): boolean {
  const url = parseUrl(text);
  if (!url || text.includes('#') || url.username !== '' || url.password !== '') return false;
  const isLoopback = loopbackHosts.includes(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback)) return false;
  const isCallback = callbackPaths.some((path) => url.pathname.endsWith(path));
  if (switches.loopbackRedirects && isLoopback && isCallback) return true;
  return switches.redirectUrls.some((registered) => isAtOrBelow(url, parseUrl(registered)));
}

function isAtOrBelow(url: URL, registered: URL | undefined): boolean {
  if (!registered || url.origin !== registered.origin) return false;
  const folder = registered.pathname.endsWith('/') ? registered.pathname : `${registered.pathname}/`;
  return url.pathname === registered.pathname || url.pathname.startsWith(folder);
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
