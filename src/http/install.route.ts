import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type InstallLevel, installLevels } from '../domain/connections/connection';
import { ConnectionNotReady, InvalidInput } from '../domain/errors';
import type { InstallAttemptId } from '../domain/installs/install';
import type { Door } from '../domain/installs/install-door';
import { parseSecret } from '../domain/installs/install-link';
import { OAUTH_CALLBACK_PATH } from '../domain/slack-oauth-port';
import { Secret } from '../shared/secret';
import { registerManifests } from './manifest.route';
import { formOf, type InstallPagesOptions, PageScope, queryOf, single } from './page-scope';
import {
  callbackPage,
  chooseLevelPage,
  goingToSlackPage,
  noAppPage,
  otherSitePage,
  prefetchPage,
  unacceptablePage,
} from './pages/callback-page';
import { closedPage } from './pages/closed-page';
import { type FormActions, installPage, type WaysIn } from './pages/install-page';
import type { Page } from './pages/page';
import { resultPage } from './pages/result-page';
import { tokenProblemOf } from './pages/token-problem';
import { isAheadOfTime, isFromOwnPage } from './request-origin';

const linkPaths = ['install', 'connect', 'reconnect'] as const;
type LinkPath = (typeof linkPaths)[number];

/**
 * The pages on which people connect Slack, and where Slack sends them back to. A GET changes nothing, but for the callback,
 * which consumes its state once. Nobody needs an API key here: a link's secret, a signature, or a browser's cookie gives access.
 */
export async function registerInstalls(app: FastifyInstance, options: InstallPagesOptions): Promise<void> {
  await app.register(async (scope) => {
    const routes = new InstallRoutes(options);
    routes.pages.prepare(scope);
    for (const path of linkPaths) {
      scope.get<Key>(`/${path}/:key`, (request, reply) => routes.showLink(path, request, reply));
      scope.post<Key>(`/${path}/:key`, (request, reply) => routes.begin(linkDoor(path, request), request, reply));
      scope.post<Key>(`/${path}/:key/token`, (request, reply) => {
        const { key } = request.params;
        return routes.connect(linkDoor(path, request), `/${path}/${key}`, request, reply);
      });
    }
    for (const path of [...linkPaths, 'install/result']) {
      // Where a browser is after a token that did not work: whoever loads that address anew wants the page of the form.
      scope.get<Key>(`/${path}/:key/token`, (request, reply) =>
        routes.pages.redirect(reply, `/${path}/${encodeURIComponent(request.params.key)}`),
      );
    }
    scope.get<Key>('/install/result/:key', (request, reply) => routes.showResult(request, reply));
    scope.post<Key>('/install/result/:key', (request, reply) => routes.begin(routes.ownDoor(request), request, reply));
    scope.post<Key>('/install/result/:key/token', (request, reply) => {
      const { key } = request.params;
      return routes.connect(routes.ownDoor(request), `/install/result/${key}`, request, reply);
    });
    scope.get(OAUTH_CALLBACK_PATH, (request, reply) => routes.callback(request, reply));
  });
  registerManifests(app, options.publicUrl);
}

interface Key {
  Params: { key: string };
}

class InstallRoutes {
  readonly pages: PageScope;

  constructor(private readonly options: InstallPagesOptions) {
    this.pages = new PageScope(options);
  }

  async showLink(path: LinkPath, request: FastifyRequest<Key>, reply: FastifyReply): Promise<FastifyReply> {
    const door = linkDoor(path, request);
    const visit = await this.open(door, request);
    if (!visit.isOpen) return this.pages.send(reply, closedPage(visit.reason));
    const ways = { ...visit, actions: this.actionsAt(`/${path}/${request.params.key}`) };
    return this.pages.send(reply, installPage(ways, this.host()));
  }

  async begin(door: Door | undefined, request: FastifyRequest<Key>, reply: FastifyReply): Promise<FastifyReply> {
    if (!this.isFromOwnPage(request)) return this.pages.send(reply, otherSitePage);
    if (!door) return this.pages.send(reply, closedPage('UNKNOWN'));
    return this.pages.run(reply, async () => {
      const level = levelOf(single(formOf(request), 'level'));
      const browser = this.pages.cookie.read(request);
      try {
        const beginning = await this.options.visits.begin(door, { level, browser }, this.pages.boundsOf(request));
        if (!beginning.isOpen) return this.pages.send(reply, closedPage(beginning.reason));
        this.pages.cookie.write(reply, beginning.browser);
        const next = { url: beginning.authorizeUrl.reveal(), seconds: 0 };
        return this.pages.send(reply, { ...goingToSlackPage, next });
      } catch (error) {
        const page = refusalOf(error);
        if (!page) throw error;
        return this.pages.send(reply, page);
      }
    });
  }

  /** @param here the path of the page whose form it was, for the next try */
  async connect(
    door: Door | undefined,
    here: string,
    request: FastifyRequest<Key>,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    if (!this.isFromOwnPage(request)) return this.pages.send(reply, otherSitePage);
    if (!door) return this.pages.send(reply, closedPage('UNKNOWN'));
    const token = single(formOf(request), 'token');
    if (token === undefined) return this.pages.send(reply, unacceptablePage);
    return this.pages.run(reply, async () => {
      const browser = this.pages.cookie.read(request);
      const outcome = await this.options.visits.connectWithToken(
        door,
        { token: new Secret(token.trim()), browser },
        this.pages.boundsOf(request),
      );
      if (!outcome.isOpen) return this.pages.send(reply, closedPage(outcome.reason));
      if ('attemptId' in outcome) {
        this.pages.cookie.write(reply, outcome.browser);
        return this.pages.redirect(reply, `/install/result/${outcome.attemptId}`);
      }
      const { error, ...visit } = outcome;
      const ways = { ...visit, actions: this.actionsAt(here) };
      return this.pages.send(reply, installPage(ways, this.host(), tokenProblemOf(error)));
    });
  }

  async callback(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    if (isAheadOfTime(request)) return this.pages.send(reply, prefetchPage);
    return this.pages.run(reply, async () => {
      const query = queryOf(request);
      const params = { state: secretIn(query, 'state'), code: secretIn(query, 'code'), error: single(query, 'error') };
      const browser = this.pages.cookie.read(request);
      const outcome = await this.options.callbacks.finish(params, browser, this.pages.boundsOf(request));
      if (outcome.kind !== 'ATTEMPT') return this.pages.send(reply, callbackPage(outcome.kind));
      return this.pages.redirect(reply, `/install/result/${outcome.attemptId}`);
    });
  }

  async showResult(request: FastifyRequest<Key>, reply: FastifyReply): Promise<FastifyReply> {
    const door = this.ownDoor(request);
    const result = await this.options.callbacks.result(door.id, door.browser);
    const here = `/install/result/${request.params.key}`;
    const ways = result.kind === 'REFUSED' && result.isOpen ? await this.waysIn(door, here, request) : undefined;
    return this.pages.send(reply, resultPage(result, ways, this.pages.path(here)));
  }

  ownDoor(request: FastifyRequest<Key>): Extract<Door, { kind: 'attempt' }> {
    const id = request.params.key as InstallAttemptId;
    return { kind: 'attempt', id, browser: this.pages.cookie.read(request) };
  }

  private async waysIn(door: Door, here: string, request: FastifyRequest): Promise<WaysIn | undefined> {
    const visit = await this.open(door, request);
    return visit.isOpen ? { ...visit, actions: this.actionsAt(here) } : undefined;
  }

  private async open(door: Door | undefined, request: FastifyRequest) {
    if (!door) return { isOpen: false, reason: 'UNKNOWN' } as const;
    return this.options.visits.open(door, this.pages.boundsOf(request));
  }

  private isFromOwnPage(request: FastifyRequest): boolean {
    return isFromOwnPage(request, this.options.publicUrl());
  }

  private actionsAt(path: string): FormActions {
    return { begin: this.pages.path(path), token: this.pages.path(`${path}/token`) };
  }

  private host(): string {
    return new URL(this.options.publicUrl()).host;
  }
}

function linkDoor(path: LinkPath, { params }: FastifyRequest<Key>): Door | undefined {
  if (path === 'reconnect') return { kind: 'reconnect', signed: params.key };
  const secret = parseSecret(params.key);
  return secret && { kind: 'link', secret };
}

function secretIn(query: URLSearchParams, name: string): Secret | undefined {
  const text = single(query, name);
  return text === undefined ? undefined : new Secret(text);
}

function levelOf(text: string | undefined): InstallLevel | undefined {
  return installLevels.find((level) => level === text);
}

function refusalOf(error: unknown): Page | undefined {
  if (error instanceof InvalidInput) return chooseLevelPage;
  if (error instanceof ConnectionNotReady) return noAppPage;
  return undefined;
}
