import type { TokenGrant } from './token';

/** Where the app is installed: a workspace that stands alone or a whole organization, or a workspace inside one. */
export interface Place {
  readonly organizationId: string;
  /** Set for a workspace inside an Enterprise organization. */
  readonly workspaceId: string | null;
}

/** What one person, or the app's bot, stands for in one place. */
export interface Actor extends Place {
  readonly personId: string;
  readonly kind: TokenGrant['kind'];
}

/** A standing permission. The app is installed in a place for as long as one is left there (OAuth §9, documented). */
export interface Authorization extends Actor {
  scopes: readonly string[];
}

export interface AuthorizationCode {
  /** `digestOf` the code. */
  readonly digest: string;
  readonly clientId: string;
  readonly redirectUri: string;
  /** Whether the authorize URL named the redirect URI, so that the exchange must as well. */
  readonly isRedirectUriStated: boolean;
  /** PKCE S256. */
  readonly challenge: string | null;
  readonly place: Place;
  readonly personId: string;
  readonly userScopes: readonly string[];
  readonly botScopes: readonly string[];
  readonly endsAt: number;
  isUsed: boolean;
}

export interface RefreshToken extends Actor {
  /** `digestOf` its text. */
  readonly digest: string;
  /** Null for one without an end. Its first use sets the end of the grace period. */
  endsAt: number | null;
  isUsed: boolean;
  /** Digests of what it was exchanged for, oldest first; more than one within the grace period. */
  successors: string[];
  /** Name of the long-lived token that ends with the first use (OAuth §6.1, documented). */
  readonly replaces: string | null;
}

/** Everything above as JSON. */
export interface OAuthState {
  readonly issuedTokens: number;
  readonly authorizations: readonly Authorization[];
  readonly codes: readonly AuthorizationCode[];
  readonly refreshTokens: readonly RefreshToken[];
  readonly addedTeamIds: readonly string[];
  readonly secretGeneration: number;
  readonly oldSecretEndsAt: number;
}

/** What a world remembers about the app: where it is installed, for whom, and what it was given. */
export class OAuthRecords {
  /** Counts everything that was ever given out, so that each has a text of its own. */
  issuedTokens = 0;
  readonly codes = new Map<string, AuthorizationCode>();
  readonly refreshTokens = new Map<string, RefreshToken>();
  /** Workspaces that an organization install was added to (OAuth §10, documented). */
  readonly addedTeamIds = new Set<string>();
  /** How often the client secret was changed. */
  secretGeneration = 0;
  /** Until when the client secret before it still works. */
  oldSecretEndsAt = 0;
  #authorizations: Authorization[] = [];

  get authorizations(): readonly Authorization[] {
    return this.#authorizations;
  }

  authorizationOf(actor: Actor): Authorization | undefined {
    return this.#authorizations.find((known) => isSameActor(known, actor));
  }

  isInstalled(place: Place): boolean {
    return this.#authorizations.some((known) => isSamePlace(known, place));
  }

  /** Scopes only ever add up for the same person and place (OAuth §2, documented). */
  authorize({ organizationId, workspaceId, personId, kind, scopes }: Authorization): Authorization {
    const known = this.authorizationOf({ organizationId, workspaceId, personId, kind });
    if (known) {
      known.scopes = [...new Set([...known.scopes, ...scopes])];
      return known;
    }
    const authorization = { organizationId, workspaceId, personId, kind, scopes };
    this.#authorizations.push(authorization);
    return authorization;
  }

  remove(gone: readonly Authorization[]): void {
    this.#authorizations = this.#authorizations.filter((known) => !gone.includes(known));
  }

  state(): OAuthState {
    return {
      issuedTokens: this.issuedTokens,
      authorizations: this.#authorizations,
      codes: [...this.codes.values()],
      refreshTokens: [...this.refreshTokens.values()],
      addedTeamIds: [...this.addedTeamIds],
      secretGeneration: this.secretGeneration,
      oldSecretEndsAt: this.oldSecretEndsAt,
    };
  }

  restore(state: OAuthState): void {
    this.issuedTokens = state.issuedTokens;
    this.#authorizations = [...state.authorizations];
    for (const code of state.codes) this.codes.set(code.digest, code);
    for (const token of state.refreshTokens) this.refreshTokens.set(token.digest, token);
    for (const id of state.addedTeamIds) this.addedTeamIds.add(id);
    this.secretGeneration = state.secretGeneration;
    this.oldSecretEndsAt = state.oldSecretEndsAt;
  }
}

export function isSamePlace(one: Place, other: Place): boolean {
  return one.organizationId === other.organizationId && one.workspaceId === other.workspaceId;
}

export function isSameActor(one: Actor, other: Actor): boolean {
  return isSamePlace(one, other) && one.personId === other.personId && one.kind === other.kind;
}
