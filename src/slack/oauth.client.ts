import type { ConnectionEnvironment } from '../domain/connections/connection';
import { ConnectionProblem } from '../domain/connections/connection-problem';
import { requiredScopes } from '../domain/connections/scopes';
import { AppCredentialsRefused, AppError, ConnectionNotReady, UpstreamRejected } from '../domain/errors';
import type { SlackWebApi, UpstreamCall } from '../domain/ports';
import type { GrantedToken, OAuthGrant, SlackOAuth } from '../domain/slack-oauth-port';
import type { Secret } from '../shared/secret';
import { type CodeAnswer, readCodeAnswer, readTokenAnswer } from './oauth-answer';
import { oauthRefusal } from './oauth-errors';
import { OAuthExchange, type OAuthExchangeParts, type OAuthRequest } from './oauth-exchange';
import { authorizePageUrl, originOf, type SlackOrigins, webApiUrl } from './origins';
import type { SlackApp, SlackApps } from './slack-app';

export interface OAuthParts extends OAuthExchangeParts {
  readonly origins: SlackOrigins;
  readonly apps: SlackApps;
  /** Where Slack sends people back to. One address for the authorize URL and for the exchange, since Slack compares them. */
  readonly redirectUri: () => string;
  readonly webApi: Pick<SlackWebApi, 'revoke'>;
}

const oauthMethods = { access: 'oauth.v2.access', exchange: 'oauth.v2.exchange' } as const;
/** An app cannot be installed on an organization without a bot scope. Nothing here uses the bot. */
const BOT_SCOPES = ['team:read'];
/** Codes come with a browser, so anything may. Slack's have about 100 characters. */
const sendableCode = /^[\x21-\x7e]{1,1024}$/;
/** What a header can carry. */
const sendableToken = /^[\x21-\x7e]+$/;

export class OAuthClient implements SlackOAuth {
  readonly #exchange: OAuthExchange;

  constructor(private readonly parts: OAuthParts) {
    this.#exchange = new OAuthExchange(parts);
  }

  isAvailable(environment: ConnectionEnvironment): boolean {
    return this.parts.apps[environment] !== undefined && this.parts.origins[environment] !== undefined;
  }

  appSlackId(environment: ConnectionEnvironment): string | undefined {
    return this.parts.apps[environment]?.appId;
  }

  authorizeUrl(environment: ConnectionEnvironment, options: { state: Secret; teamHint?: string }): string {
    const { state, teamHint } = options;
    const app = this.#app(environment);
    const query = new URLSearchParams({
      client_id: app.clientId,
      scope: BOT_SCOPES.join(','),
      user_scope: requiredScopes.join(','),
      redirect_uri: this.parts.redirectUri(),
      state: state.reveal(),
      ...(teamHint === undefined ? {} : { team: teamHint }),
    });
    return `${authorizePageUrl(originOf(this.parts.origins, environment))}?${query}`;
  }

  async exchangeCode(environment: ConnectionEnvironment, code: Secret, call: UpstreamCall): Promise<OAuthGrant> {
    const app = this.#app(environment);
    if (!sendableCode.test(code.reveal())) throw oauthRefusal('invalid_code', 200, 'CODE');
    const request: OAuthRequest = {
      kind: 'CODE',
      url: this.#url(environment, oauthMethods.access),
      authorization: basic(app),
      fields: { code: code.reveal(), redirect_uri: this.parts.redirectUri() },
    };
    const { token, ...granted } = await this.#exchange.perform(request, readCodeAnswer, call);
    if (token === undefined) {
      await this.#endBot(environment, granted.bot, call);
      throw new ConnectionProblem('MISSING_SCOPES', {
        missingScopes: requiredScopes,
        detail: `Slack granted no user token: the scope ${requiredScopes.join(', ')} is missing under "User Token Scopes" of the app, or the person who installed it may not give it.`,
      });
    }
    if (isOfOtherApp(token, app)) throw new AppCredentialsRefused('app_id_mismatch');
    return { ...granted, token };
  }

  async refresh(environment: ConnectionEnvironment, refreshToken: Secret, call: UpstreamCall): Promise<GrantedToken> {
    const app = this.#app(environment);
    const request: OAuthRequest = {
      kind: 'REFRESH_TOKEN',
      url: this.#url(environment, oauthMethods.access),
      authorization: basic(app),
      fields: { grant_type: 'refresh_token', refresh_token: refreshToken.reveal() },
    };
    return this.#performForToken(request, app, call);
  }

  async exchangeLongLived(
    environment: ConnectionEnvironment,
    token: Secret,
    call: UpstreamCall,
  ): Promise<GrantedToken> {
    const app = this.#app(environment);
    if (!sendableToken.test(token.reveal())) throw oauthRefusal('invalid_token', 200, 'LONG_LIVED_TOKEN');
    const request: OAuthRequest = {
      kind: 'LONG_LIVED_TOKEN',
      url: this.#url(environment, oauthMethods.exchange),
      // The method takes a token like any other method, so the header is the token's and the app's own go into the body.
      authorization: `Bearer ${token.reveal()}`,
      fields: { client_id: app.clientId, client_secret: app.clientSecret.reveal() },
    };
    return this.#performForToken(request, app, call);
  }

  async #performForToken(request: OAuthRequest, app: SlackApp, call: UpstreamCall): Promise<GrantedToken> {
    const answer = await this.#exchange.perform(request, readTokenAnswer, call);
    if (answer.as === 'OTHER_KIND') {
      throw new UpstreamRejected('Slack renewed a token that is no user token.', 'unexpected_token_type', 200);
    }
    if (isOfOtherApp(answer.token, app)) {
      // The pair is good, and there is no other: to refuse it over a mistyped id would end the grant.
      this.parts.logger.warn(
        { requestId: call.requestId, appSlackId: answer.token.appSlackId },
        'The configured id of the Slack app differs from the one that Slack states',
      );
    }
    return answer.token;
  }

  /** Nobody would hold it any more. Slack keeps the installation when that fails, which harms nobody. */
  async #endBot(environment: ConnectionEnvironment, bot: CodeAnswer['bot'], call: UpstreamCall): Promise<void> {
    const secrets = bot === undefined ? [] : [bot.refreshToken, bot.secret];
    for (const secret of secrets) {
      if (secret === undefined) continue;
      try {
        await this.parts.webApi.revoke(environment, secret, call);
      } catch (error) {
        const code = error instanceof AppError ? error.code : undefined;
        this.parts.logger.warn({ requestId: call.requestId, code }, 'A bot token that nobody needs was not ended');
      }
    }
  }

  #url(environment: ConnectionEnvironment, method: string): string {
    return webApiUrl(originOf(this.parts.origins, environment), method);
  }

  #app(environment: ConnectionEnvironment): SlackApp {
    const app = this.parts.apps[environment];
    if (app === undefined) {
      throw new ConnectionNotReady(`This gateway has no Slack app in the environment ${environment}.`, {
        remedy: 'Ask its operator to configure one, or connect with a token of an app of your own.',
      });
    }
    return app;
  }
}

/** RFC 6749 §2.3.1. */
function basic({ clientId, clientSecret }: SlackApp): string {
  const text = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret.reveal())}`;
  return `Basic ${Buffer.from(text).toString('base64')}`;
}

function isOfOtherApp({ appSlackId }: GrantedToken, { appId }: SlackApp): boolean {
  return appSlackId !== undefined && appId !== undefined && appSlackId !== appId;
}
