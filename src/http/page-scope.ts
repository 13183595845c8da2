import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { InstallCallbackService } from '../domain/installs/install-callback.service';
import type { Bounds } from '../domain/installs/install-caller';
import type { InstallVisitService } from '../domain/installs/install-visit.service';
import type { Clock } from '../shared/clock';
import type { Logger } from '../shared/logger';
import { BrowserCookie } from './browser-cookie';
import { defectPage, stoppingPage, unacceptablePage } from './pages/callback-page';
import { type Page, pageHeaders, printPage } from './pages/page';
import type { RunningCalls } from './running-calls';

export interface InstallPagesOptions {
  readonly visits: InstallVisitService;
  readonly callbacks: InstallCallbackService;
  readonly calls: RunningCalls;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where browsers reach this gateway, without a slash at the end. Known once it listens. */
  readonly publicUrl: () => string;
  readonly callTimeoutMs: number;
  /** Aborts when the time to stop is over. */
  readonly signal: AbortSignal;
}

const LARGEST_FORM = 16 * 1024;

/** What the pages' routes have in common: headers, forms, the cookie, and that errors are pages, too. */
export class PageScope {
  readonly cookie: BrowserCookie;

  constructor(readonly options: InstallPagesOptions) {
    this.cookie = new BrowserCookie(options.publicUrl);
  }

  /** @param scope an encapsulated one: it gets parsers and handlers of its own */
  prepare(scope: FastifyInstance): void {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: LARGEST_FORM },
      (_request, body, done) => done(null, new URLSearchParams(String(body))),
    );
    scope.setErrorHandler<FastifyError>((error, request, reply) => {
      const { statusCode = 500 } = error;
      if (statusCode < 500) return this.send(reply, { ...unacceptablePage, status: statusCode });
      this.options.logger.error({ requestId: request.id, err: error }, 'a page met a defect');
      return this.send(reply, defectPage(request.id));
    });
  }

  send(reply: FastifyReply, page: Page): FastifyReply {
    const { host } = new URL(this.options.publicUrl());
    return reply.code(page.status).headers(pageHeaders(page)).send(printPage(page, host));
  }

  /** To a page of ours. @param path from the root of this gateway */
  redirect(reply: FastifyReply, path: string): FastifyReply {
    return reply.code(303).headers(pageHeaders({})).header('location', this.path(path)).send();
  }

  /** As browsers must name it, when a proxy serves this gateway below a path of its own. */
  path(path: string): string {
    const { pathname } = new URL(this.options.publicUrl());
    return `${pathname.replace(/\/+$/, '')}${path}`;
  }

  /** Work that a stop of the gateway waits for. */
  async run(reply: FastifyReply, work: () => Promise<FastifyReply>): Promise<FastifyReply> {
    const { calls } = this.options;
    return calls.isDraining ? this.send(reply, stoppingPage) : calls.run(work);
  }

  boundsOf({ id }: FastifyRequest): Bounds {
    const { signal, clock, callTimeoutMs } = this.options;
    return { requestId: id, signal, deadlineAt: clock.now() + callTimeoutMs };
  }
}

/** A parameter that comes more than once could be read as one or the other, so it counts as none. */
export function single(parameters: URLSearchParams | undefined, name: string): string | undefined {
  const values = parameters?.getAll(name) ?? [];
  return values.length === 1 ? values[0] : undefined;
}

export function formOf({ body }: FastifyRequest): URLSearchParams | undefined {
  return body instanceof URLSearchParams ? body : undefined;
}

export function queryOf({ url }: FastifyRequest): URLSearchParams {
  return new URL(url, 'http://host').searchParams;
}
