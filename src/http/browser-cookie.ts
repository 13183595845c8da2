import { parseCookie, stringifySetCookie } from 'cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { parseSecret } from '../domain/installs/install-link';
import type { Secret } from '../shared/secret';

const NAME = 'rollcall-browser';
const LIFETIME_SECONDS = 24 * 3600;

/**
 * The cookie that ties an installation to the browser in which it began. The return from Slack is a navigation from
 * another site, for which browsers send Lax cookies and keep Strict ones back.
 */
export class BrowserCookie {
  constructor(private readonly publicUrl: () => string) {}

  read({ headers }: FastifyRequest): Secret | undefined {
    return parseSecret(parseCookie(headers.cookie ?? '')[this.#name()]);
  }

  write(reply: FastifyReply, browser: Secret): void {
    const cookie = stringifySetCookie({
      name: this.#name(),
      value: browser.reveal(),
      httpOnly: true,
      sameSite: 'lax',
      path: '/',
      secure: this.#isSecure(),
      maxAge: LIFETIME_SECONDS,
    });
    reply.header('set-cookie', cookie);
  }

  /** With the prefix no other host of the domain can set it, nor a page without https. */
  #name(): string {
    return this.#isSecure() ? `__Host-${NAME}` : NAME;
  }

  /** Browsers do not take secure cookies over plain http, which is for this machine alone. */
  #isSecure(): boolean {
    return this.publicUrl().startsWith('https:');
  }
}
