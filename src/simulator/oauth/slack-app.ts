import { timingSafeEqual } from 'node:crypto';
import { derive, deriveId, deriveNumber, digestOf } from '../world/derivation';
import type { OAuthRecords } from '../world/oauth-records';

/** How long a client secret outlives its successor (OAuth §5, documented). */
const oldSecretLifetimeMs = 86_400_000;

/** What Slack's app pages would show to the one who made the app. All of it follows from the seed. */
export interface AppCredentials {
  readonly appId: string;
  /** Two numbers joined by a dot. */
  readonly clientId: string;
  readonly clientSecret: string;
  readonly signingSecret: string;
}

/** The one app that exists at this Slack. */
export class SlackApp {
  readonly name = 'Directory Gateway';
  readonly appId: string;
  readonly clientId: string;
  readonly signingSecret: string;
  /** The deprecated `token` of event envelopes. */
  readonly verificationToken: string;
  readonly #seed: string;

  constructor(seed: string) {
    this.#seed = seed;
    this.appId = `A0${deriveId(seed, 'app/id', 9)}`;
    this.clientId = `${deriveNumber(seed, 'app/client/team')}.${deriveNumber(seed, 'app/client/app')}`;
    this.signingSecret = derive(seed, 'app/signing-secret').toString('hex').slice(0, 32);
    this.verificationToken = derive(seed, 'app/verification-token').toString('hex').slice(0, 24);
  }

  credentials(records: OAuthRecords): AppCredentials {
    const { appId, clientId, signingSecret } = this;
    return { appId, clientId, clientSecret: this.#clientSecret(records.secretGeneration), signingSecret };
  }

  hasClientSecret(presented: string, records: OAuthRecords, now: number): boolean {
    const { secretGeneration, oldSecretEndsAt } = records;
    if (isEqual(presented, this.#clientSecret(secretGeneration))) return true;
    return (
      secretGeneration > 0 && now < oldSecretEndsAt && isEqual(presented, this.#clientSecret(secretGeneration - 1))
    );
  }

  /** Makes a new client secret; the old one keeps working for a day. */
  changeClientSecret(records: OAuthRecords, now: number): void {
    records.secretGeneration += 1;
    records.oldSecretEndsAt = now + oldSecretLifetimeMs;
  }

  #clientSecret(generation: number): string {
    return derive(this.#seed, `app/client-secret/${generation}`).toString('hex').slice(0, 32);
  }
}

function isEqual(one: string, other: string): boolean {
  return timingSafeEqual(Buffer.from(digestOf(one)), Buffer.from(digestOf(other)));
}
