import type { Clock } from '../../shared/clock';
import { assertOperator, type Caller } from '../access/access';
import { Conflict } from '../errors';
import type { KeyCustody } from './key-custody.service';
import type { ResealProgress, ResealService } from './reseal.service';
import type { SealingKeyUse } from './sealing-key';

/** A small gateway's secrets are sealed anew within it, and then the answer tells the end. */
const RESEAL_WAIT_MS = 3_000;

export interface Resealing extends ResealProgress {
  /** How many stored values another key than the newest sealed, whoever is at them. */
  readonly remaining: number;
}

/** Sealing keys over the API: for admins of the operator's tenant alone, since the keys are everybody's. */
export class SealingKeyService {
  constructor(
    private readonly custody: KeyCustody,
    private readonly resealer: ResealService,
    private readonly clock: Clock,
  ) {}

  async list(caller: Caller): Promise<SealingKeyUse> {
    this.assertMay(caller);
    return this.custody.describe();
  }

  async resealing(caller: Caller): Promise<Resealing> {
    this.assertMay(caller);
    return { ...this.resealer.progress, remaining: await this.custody.countOld() };
  }

  /** Makes a new key, and begins to seal with it what older ones sealed. @throws as KeyCustody.rotate */
  async rotate(caller: Caller): Promise<void> {
    this.assertMay(caller);
    await this.custody.rotate();
    this.resealer.runSoon();
  }

  /**
   * Begins to seal with the newest key what older ones sealed, and waits a moment for the end.
   * @throws Conflict when another replica has a newer key first: sealing with the older one here would only be undone there.
   */
  async reseal(caller: Caller): Promise<void> {
    this.assertMay(caller);
    const waiting = new AbortController();
    const wait = this.clock.sleep(RESEAL_WAIT_MS, AbortSignal.any([waiting.signal, caller.signal])).catch(() => {});
    try {
      const outcome = await Promise.race([this.resealer.run(), wait]);
      if (outcome === 'SUPERSEDED') {
        throw new Conflict('Another replica has a newer sealing key first.', {
          remedy: 'Restart this replica with that key first, as sealingKeys shows it, or ask the other one.',
        });
      }
    } finally {
      waiting.abort();
    }
  }

  /** @throws as KeyCustody.remove */
  async remove(caller: Caller, keyId: string): Promise<void> {
    this.assertMay(caller);
    await this.custody.remove(keyId);
  }

  private assertMay(caller: Caller): void {
    assertOperator(caller, 'see or change the sealing keys');
  }
}
