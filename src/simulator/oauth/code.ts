import { createHash } from 'node:crypto';
import { WebApiError } from '../web-api/web-api-error';
import { digestOf } from '../world/derivation';
import type { AuthorizationCode } from '../world/oauth-records';
import type { AppContext } from './app-context';
import { issuedLabel } from './token-mint';

/** OAuth §3, documented. */
const codeLifetimeMs = 600_000;

export type CodeFacts = Omit<AuthorizationCode, 'digest' | 'endsAt' | 'isUsed'>;

/** @returns the code's text, to be shown once. */
export function issueCode({ world, mint, clock }: AppContext, facts: CodeFacts): string {
  world.oauth.issuedTokens += 1;
  const text = mint.code(issuedLabel(`code-${world.oauth.issuedTokens}`, clock.now()));
  const digest = digestOf(text);
  world.oauth.codes.set(digest, { ...facts, digest, endsAt: clock.now() + codeLifetimeMs, isUsed: false });
  return text;
}

export interface PresentedCode {
  readonly code: string;
  readonly redirectUri: string | undefined;
  readonly verifier: string | undefined;
}

/**
 * Takes a code as used. A refusal for its redirect URI or verifier leaves it as it is (assumed).
 * @throws WebApiError `invalid_code`, `code_already_used`, `bad_redirect_uri`, `pkce_not_allowed` or `invalid_code_verifier`
 */
export function redeemCode({ world, switches, clock, app }: AppContext, presented: PresentedCode): AuthorizationCode {
  const code = world.oauth.codes.get(digestOf(presented.code));
  if (!code || code.clientId !== app.clientId) throw new WebApiError('invalid_code');
  if (code.isUsed) throw new WebApiError(switches.codeReplayError);
  if (code.endsAt <= clock.now()) throw new WebApiError('invalid_code');
  const isSameRedirect =
    presented.redirectUri === undefined ? !code.isRedirectUriStated : presented.redirectUri === code.redirectUri;
  if (!isSameRedirect) throw new WebApiError('bad_redirect_uri');
  if (presented.verifier !== undefined && !switches.pkce) throw new WebApiError('pkce_not_allowed');
  if (challengeOf(presented.verifier) !== code.challenge) throw new WebApiError('invalid_code_verifier');
  code.isUsed = true;
  return code;
}

function challengeOf(verifier: string | undefined): string | null {
  return verifier === undefined ? null : createHash('sha256').update(verifier).digest('base64url');
}
