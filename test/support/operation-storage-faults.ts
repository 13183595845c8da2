import type { OperationAnswer } from './bulk';
import { FastClock } from './fast-clock';
import { MovedClock } from './moved-clock';
import { expectInvariants } from './operation-invariants';
import { newPeople, type OperationWorld, startOperationWorld } from './operation-world';
import { calmDown } from './people';

/** ROLLCALL_REAL_TIME=1 lets the waits of these tests take as long as they say. */
const SPEED = process.env.ROLLCALL_REAL_TIME === '1' ? 1 : 20;
const PEOPLE = 32;
/** Slow enough that both are still at it when the fault has come. */
const SLACK_MS = 250;

/** Lets so much time pass by the gateway's clock. */
export function passing(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms / SPEED));
}

/** An operation whose database fails in the middle, which must end by itself once the database is well again. */
export class StorageFaultWorld {
  #count = 0;

  private constructor(readonly world: OperationWorld) {}

  static async start(options: Omit<Parameters<typeof startOperationWorld>[0], 'clocks'>): Promise<StorageFaultWorld> {
    const clock = SPEED === 1 ? new MovedClock() : new FastClock(SPEED);
    return new StorageFaultWorld(await startOperationWorld({ ...options, clocks: [clock] }));
  }

  /** Begins one, and another one behind it; resolves when some of its items are done. */
  async beginTwo(): Promise<{ ids: readonly string[]; tags: readonly string[]; from: number }> {
    const { simulator } = this.world;
    simulator.faults.add({ kind: 'latency', ms: SLACK_MS, times: 'always' });
    const from = simulator.requests.length;
    const tags = [this.#nextTag(), this.#nextTag()];
    const begun: OperationAnswer[] = [];
    for (const tag of tags) begun.push(await this.world.begin('provisionUsers', { users: newPeople(PEOPLE, tag) }));
    const ids = begun.map(({ id }) => id);
    await this.world.ended(ids[0] ?? '', ({ counts }) => counts.succeeded > 5);
    return { ids, tags, from };
  }

  /** Asks for more work. @returns `accepted`, `refused` with a typed and retryable problem, or what came instead. */
  async tryToBegin(people = 3): Promise<string> {
    const { app, connectionId } = this.world;
    const mutation = `mutation ($input: ProvisionUsersInput!) { provisionUsers(input: $input) {
      operation { id } problems { code retryable } } }`;
    const input = { connectionId, users: newPeople(people, this.#nextTag()) };
    const { data, text } = await app.call<{ provisionUsers: { operation: object | null } }>(mutation, { input });
    if (data?.provisionUsers.operation) return 'accepted';
    return text.includes('"code":"INTERNAL"') && text.includes('"retryable":true') ? 'refused' : text;
  }

  /** The lease of a slice that broke off is over, as it is after at most 15 seconds of the database's clock. */
  async endLeases(): Promise<void> {
    if (SPEED > 1) await this.world.query("DELETE FROM leases WHERE name LIKE 'operation %'");
  }

  /** Both operations end by themselves, with nobody made twice and everybody made. */
  async expectBothToEnd({
    ids,
    tags,
    from,
  }: {
    ids: readonly string[];
    tags: readonly string[];
    from: number;
  }): Promise<void> {
    const { simulator } = this.world;
    calmDown(simulator);
    for (const [index, id] of ids.entries()) {
      expect(await this.world.ended(id)).toMatchObject({ status: 'SUCCEEDED', counts: { succeeded: PEOPLE } });
      await expectInvariants(this.world, id, { domain: `${tags[index]}.example` });
    }
    const posts = simulator.requests.slice(from).filter(({ method, isApplied }) => method === 'POST' && isApplied);
    expect(posts).toHaveLength(PEOPLE * ids.length);
  }

  /** The gateway lives, and says so quickly. */
  async expectAlive(): Promise<void> {
    const startedAt = performance.now();
    expect((await fetch(`${this.world.app.url}/healthz`)).status).toBe(200);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  }

  stop(): Promise<void> {
    return this.world.stop();
  }

  #nextTag(): string {
    this.#count += 1;
    return `storage${this.#count}`;
  }
}
