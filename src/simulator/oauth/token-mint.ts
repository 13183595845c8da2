import { derive, deriveNumber, deriveText, digestOf } from '../world/derivation';
import { type TokenGrant, type TokenName, tokenNames, tokenText, tokenValue } from '../world/token';

/** Makes the texts of codes and tokens from the seed. Only whoever is to have one sees it; worlds keep digests. */
export class TokenMint {
  readonly #seed: string;

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** Dotted: two numbers and 64 hexadecimal digits (OAuth §3, documented). */
  code(label: string): string {
    const number = (part: string) => deriveNumber(this.#seed, `${label}/${part}`);
    return `${number('team')}.${number('code')}.${derive(this.#seed, label).toString('hex')}`;
  }

  accessToken(label: string, kind: Pick<TokenGrant, 'kind' | 'isRotating'>): string {
    return tokenText(this.#seed, label, kind);
  }

  refreshToken(label: string): string {
    return `xoxe-1-${deriveText(this.#seed, label, 146)}`;
  }

  /** The text of a token that was given out before; undefined when that was under another seed. */
  again(grant: TokenGrant): string | undefined {
    if (isSeeded(grant.name)) return tokenValue(this.#seed, grant.name);
    const text = tokenText(this.#seed, issuedLabel(grant.name, grant.issuedAt ?? 0), grant);
    return digestOf(text) === grant.digest ? text : undefined;
  }
}

/** The instant keeps texts apart that two runs without a common memory give the same name. */
export function issuedLabel(name: string, issuedAt: number): string {
  return `${name}/${issuedAt}`;
}

function isSeeded(name: string): name is TokenName {
  return tokenNames.some((known) => known === name);
}
