import fc from 'fast-check';
import { membershipCalls, membershipDifference } from '../../../src/domain/directory/membership-plan';
import type { MembershipChange } from '../../../src/domain/directory-ports';

// The same inputs in every run.
fc.configureGlobal({ seed: 1906 });

const ids = fc.uniqueArray(
  fc.integer({ min: 0, max: 40 }).map((number) => `U${number}`),
  { maxLength: 30 },
);
const perCall = fc.integer({ min: 1, max: 12 });

function applied(current: readonly string[], calls: readonly MembershipChange[]): string[] {
  const members = new Set(current);
  for (const call of calls) {
    if ('replaceWith' in call) members.clear();
    else for (const id of call.remove) members.delete(id);
    for (const id of 'replaceWith' in call ? call.replaceWith : call.add) members.add(id);
  }
  return [...members].sort();
}

const sizeOf = (call: MembershipChange) =>
  'replaceWith' in call ? call.replaceWith.length : call.remove.length + call.add.length;

describe('the calls that change the members of a group', () => {
  it('lead from any members to any others, in whatever order they arrive', () => {
    fc.assert(
      fc.property(
        ids,
        ids,
        perCall,
        fc.boolean(),
        fc.infiniteStream(fc.nat()),
        (current, wanted, size, mayReplace, picks) => {
          const difference = membershipDifference(current, wanted);
          const calls = membershipCalls(difference, { current: mayReplace ? current : undefined, perCall: size });
          expect(applied(current, calls)).toEqual([...wanted].sort());
          const shuffled = calls
            .map((call) => ({ call, order: Number(picks.next().value) }))
            .sort((left, right) => left.order - right.order)
            .map(({ call }) => call);
          expect(applied(current, shuffled)).toEqual([...wanted].sort());
        },
      ),
    );
  });

  it('name nobody who is as wanted, nobody twice, and not more people than a call takes', () => {
    fc.assert(
      fc.property(ids, ids, perCall, (current, wanted, size) => {
        const calls = membershipCalls(membershipDifference(current, wanted), { perCall: size });
        const named = calls.flatMap((call) => ('replaceWith' in call ? [] : [...call.remove, ...call.add]));
        expect(new Set(named).size).toBe(named.length);
        for (const id of named) expect(current.includes(id)).toBe(!wanted.includes(id));
        for (const call of calls) expect(sizeOf(call)).toBeLessThanOrEqual(size);
      }),
    );
  });

  it('are as few as the size of a call allows, and none when nothing changes', () => {
    fc.assert(
      fc.property(ids, ids, perCall, (current, wanted, size) => {
        const difference = membershipDifference(current, wanted);
        const changes = difference.remove.length + difference.add.length;
        const least = Math.ceil(changes / size);
        expect(membershipCalls(difference, { perCall: size })).toHaveLength(least);
        const fewest = least > 1 && new Set(wanted).size <= size ? 1 : least;
        const calls = membershipCalls(difference, { current, perCall: size });
        expect(calls).toHaveLength(fewest);
        for (const call of calls) expect(sizeOf(call)).toBeLessThanOrEqual(size);
      }),
    );
  });

  it('change nothing the second time', () => {
    fc.assert(
      fc.property(ids, ids, (current, wanted) => {
        const after = applied(current, membershipCalls(membershipDifference(current, wanted), { perCall: 5 }));
        expect(membershipCalls(membershipDifference(after, wanted), { current: after })).toEqual([]);
      }),
    );
  });

  it('remove before they add, so that a full group has room', () => {
    fc.assert(
      fc.property(ids, ids, perCall, (current, wanted, size) => {
        const calls = membershipCalls(membershipDifference(current, wanted), { perCall: size });
        const most = Math.max(current.length, wanted.length);
        for (let count = 1; count <= calls.length; count += 1) {
          expect(applied(current, calls.slice(0, count)).length).toBeLessThanOrEqual(most);
        }
      }),
    );
  });

  it('is one call for 3 % of 12,000 members', () => {
    const current = Array.from({ length: 12_000 }, (_, index) => `U${index}`);
    const wanted = [...current.slice(180), ...Array.from({ length: 180 }, (_, index) => `N${index}`)];
    const calls = membershipCalls(membershipDifference(current, wanted), { current });
    expect(calls.map(sizeOf)).toEqual([360]);
  });
});
