import fc from 'fast-check';
import { ConnectionProblem } from '../../../src/domain/connections/connection-problem';
import { GroupMembersRefused } from '../../../src/domain/directory/group-problem';
import type { GroupWriter } from '../../../src/domain/directory/group-writer';
import { membershipDifference } from '../../../src/domain/directory/membership-plan';
import { MembershipWriter } from '../../../src/domain/directory/membership-writer';
import type { PeopleLookup } from '../../../src/domain/directory/people-lookup';
import type { DirectoryUser } from '../../../src/domain/directory/user';
import type { MembershipChange } from '../../../src/domain/directory-ports';
import { RateLimited } from '../../../src/domain/errors';

fc.configureGlobal({ seed: 1906 });

/** A group upstream that refuses a whole call over one person, and does not say over whom. */
class Upstream {
  readonly members: Set<string>;
  calls = 0;
  lookups = 0;
  /** Thrown instead of serving the n-th call. */
  failures = new Map<number, Error>();

  constructor(
    members: readonly string[],
    /** Of whom Slack shows that they cannot be members. */
    private readonly deactivated: ReadonlySet<string>,
    /** Refused for a reason that does not show. */
    private readonly refused: ReadonlySet<string>,
  ) {
    this.members = new Set(members);
  }

  writer(): MembershipWriter {
    const writer = { changeMembers: async (_: string, change: MembershipChange) => this.change(change) };
    const people = { byIds: async (ids: readonly string[]) => this.look(ids) };
    return new MembershipWriter(writer as unknown as GroupWriter, people as unknown as PeopleLookup);
  }

  private change(change: MembershipChange): void {
    this.calls += 1;
    const failure = this.failures.get(this.calls);
    if (failure) throw failure;
    const comers = 'replaceWith' in change ? change.replaceWith : change.add;
    if (comers.some((id) => this.deactivated.has(id) || this.refused.has(id))) {
      throw new GroupMembersRefused('DEACTIVATED_OR_GUEST');
    }
    if ('replaceWith' in change) this.members.clear();
    else for (const id of change.remove) this.members.delete(id);
    for (const id of comers) this.members.add(id);
  }

  private look(ids: readonly string[]): Map<string, DirectoryUser> {
    this.lookups += 1;
    return new Map(
      ids.map((id) => [id, { active: !this.deactivated.has(id), emails: [] } as unknown as DirectoryUser]),
    );
  }
}

const ids = fc.uniqueArray(
  fc.integer({ min: 0, max: 60 }).map((number) => `U${number}`),
  { maxLength: 40 },
);

describe('members of whom some are refused', () => {
  it('come and go as wanted but for those, whoever they are', async () => {
    await fc.assert(
      fc.asyncProperty(ids, ids, ids, ids, async (current, wanted, deactivated, refused) => {
        const slack = new Upstream(current, new Set(deactivated), new Set(refused));
        const difference = membershipDifference(current, wanted);
        const bad = difference.add.filter((id) => deactivated.includes(id) || refused.includes(id));

        const outcome = await slack.writer().apply('S1', difference, { current });

        expect([...slack.members].sort()).toEqual(wanted.filter((id) => !bad.includes(id)).sort());
        expect([...outcome.failed.keys()].sort()).toEqual([...bad].sort());
        expect([...outcome.added].sort()).toEqual(difference.add.filter((id) => !bad.includes(id)).sort());
        expect([...outcome.removed].sort()).toEqual([...difference.remove].sort());
        const culprits = bad.filter((id) => refused.includes(id) && !deactivated.includes(id)).length;
        const changes = difference.add.length + difference.remove.length;
        // Halving finds each culprit in twice the logarithm of the people, at most.
        expect(slack.calls).toBeLessThanOrEqual(4 + culprits * 2 * Math.ceil(Math.log2(changes + 2)));
        expect(slack.lookups).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('cost one look and one further call when it shows why', async () => {
    const people = Array.from({ length: 500 }, (_, index) => `U${index}`);
    const slack = new Upstream([], new Set(['U7', 'U77', 'U400']), new Set());
    const outcome = await slack.writer().apply('S1', { remove: [], add: people });
    expect([slack.calls, slack.lookups, outcome.failed.size]).toEqual([2, 1, 3]);
    expect(outcome.failed.get('U7')).toMatchObject({ reason: 'DEACTIVATED' });
  });
});

describe('a change that stops half way', () => {
  const people = Array.from({ length: 12_000 }, (_, index) => `U${index}`);

  it('tells who is left and why', async () => {
    const slack = new Upstream([], new Set(), new Set());
    slack.failures.set(2, new RateLimited('later', 60));
    const outcome = await slack.writer().apply('S1', { remove: [], add: people });
    expect([slack.calls, outcome.added.size, outcome.failed.size]).toEqual([2, 5_000, 7_000]);
    expect(outcome.failed.get('U11999')).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
  });

  it('is thrown when nothing took effect, and when the connection does not work any more', async () => {
    for (const [call, failure] of [
      [1, new RateLimited('later', 60)],
      [2, new ConnectionProblem('TOKEN_REVOKED')],
    ] as const) {
      const slack = new Upstream([], new Set(), new Set());
      slack.failures.set(call, failure);
      await expect(slack.writer().apply('S1', { remove: [], add: people })).rejects.toBe(failure);
    }
  });

  it('goes over to the difference when everybody at once is refused over somebody who was there before', async () => {
    const current = people.slice(0, 6_000);
    const wanted = ['U0', ...Array.from({ length: 10 }, (_, index) => `N${index}`)];
    const slack = new Upstream(current, new Set(['U0']), new Set());
    const outcome = await slack.writer().apply('S1', membershipDifference(current, wanted), { current });
    expect([...slack.members].sort()).toEqual([...wanted].sort());
    expect([slack.calls, outcome.failed.size]).toEqual([3, 0]);
  });
});
