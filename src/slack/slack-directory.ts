import type { Dispatcher } from 'undici';
import type { SharedLimits } from '../domain/budget-ports';
import type { DirectoryClient, DirectoryTarget, RateBudget, SlackDirectory } from '../domain/directory-ports';
import type { SlackWebApi } from '../domain/ports';
import type { SlackOAuth } from '../domain/slack-oauth-port';
import type { Clock } from '../shared/clock';
import type { Logger } from '../shared/logger';
import { UnknownCodeLog } from './errors';
import { GroupClient } from './group.client';
import { OAuthClient } from './oauth.client';
import { newOriginTraits, type OriginTraits } from './origin-traits';
import { originOf, type SlackOrigins } from './origins';
import { type LimitsMode, RateLimiter } from './rate-limiter';
import { ScimClient } from './scim.client';
import { ScimExchange, type ScimExchangeParts } from './scim-exchange';
import type { SlackApps } from './slack-app';
import { createTransport } from './transport';
import { UserLookup } from './user-lookup';
import { WebApiClient } from './web-api.client';
import { WriteTurns } from './write-turns';

export interface SlackEdgeOptions {
  /** `slackOrigins`, with the sandbox added or addresses replaced. */
  readonly origins: SlackOrigins;
  /** The gateway's own app in each environment that has one. */
  readonly apps: SlackApps;
  /** Where Slack's consent page sends people back to; asked for each time, as the address may be known only later. */
  readonly redirectUri: () => string;
  readonly clock: Clock;
  /** Uniform in [0, 1); spreads waits. */
  readonly random: () => number;
  readonly logger: Logger;
  /** From opening the connection to the last byte of the answer. */
  readonly attemptTimeoutMs: number;
  /** `slack` (the default) keeps to Slack's rate limits; `off` sends at once, and still honours what a 429 asks for. */
  readonly limits?: LimitsMode;
  /** Given where other processes work for the same Slack teams. */
  readonly shared?: SharedLimits;
  /** For tests: in place of real connections. */
  readonly dispatcher?: Dispatcher;
}

export interface SlackEdge {
  readonly directory: SlackDirectory;
  readonly webApi: SlackWebApi;
  readonly oauth: SlackOAuth;
  /** Resolves when the calls that are under way have ended. */
  close(): Promise<void>;
}

/** Everything that speaks to Slack, built once in a process. */
export function createSlackEdge(options: SlackEdgeOptions): SlackEdge {
  const { origins, apps, redirectUri, clock, random, logger, attemptTimeoutMs, dispatcher } = options;
  const { limits = 'slack', shared } = options;
  const transport = createTransport({ attemptTimeoutMs, dispatcher });
  const limiter = new RateLimiter(clock, limits, shared?.budgets);
  const turns = new WriteTurns({ clock, random, logger, attemptTimeoutMs }, shared?.turns);
  const unknownCodes = new UnknownCodeLog(logger);
  const parts = { transport, limiter, turns, clock, random, logger, unknownCodes, attemptTimeoutMs };
  const webApi = new WebApiClient({ ...parts, origins });
  return {
    directory: new ScimDirectory(parts, origins, limiter),
    webApi,
    oauth: new OAuthClient({ ...parts, origins, apps, redirectUri, webApi }),
    close: () => transport.close(),
  };
}

class ScimDirectory implements SlackDirectory {
  /** One entry an origin, so at most one an environment. */
  readonly #traits = new Map<string, OriginTraits>();

  constructor(
    private readonly parts: ScimExchangeParts,
    private readonly origins: SlackOrigins,
    private readonly limiter: RateLimiter,
  ) {}

  for(target: DirectoryTarget): DirectoryClient {
    const origin = originOf(this.origins, target.environment);
    const traits = this.#traits.get(origin.scim) ?? newOriginTraits();
    this.#traits.set(origin.scim, traits);
    const exchange = new ScimExchange(this.parts, target, origin, traits);
    const { clock, logger } = this.parts;
    return new ScimClient(exchange, new UserLookup(exchange, clock, logger), new GroupClient(exchange, clock, logger));
  }

  budgetOf(budgetKey: string): Promise<readonly RateBudget[]> {
    return this.limiter.budgetOf(budgetKey);
  }

  budgetsOf(budgetKeys: readonly string[]): Promise<ReadonlyMap<string, readonly RateBudget[]>> {
    return this.limiter.budgetsOf(budgetKeys);
  }
}
