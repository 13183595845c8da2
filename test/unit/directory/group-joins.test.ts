import fc from 'fast-check';
import type { Caller } from '../../../src/domain/access/access';
import type { Connection } from '../../../src/domain/connections/connection';
import { GroupJoins } from '../../../src/domain/directory/group-joins';
import { GroupMembersRefused } from '../../../src/domain/directory/group-problem';
import { GroupTurns } from '../../../src/domain/directory/group-turns';
import { UpstreamUnavailable } from '../../../src/domain/errors';
import { FakeClock } from '../../support/fake-clock';

fc.configureGlobal({ seed: 1906 });

const clock = new FakeClock();
const caller = { signal: new AbortController().signal, deadlineAt: clock.now() + 60_000 } as Caller;
const connection = (id: string) => ({ id, environment: 'SANDBOX', teamKey: 'T1' }) as Connection;

describe('people who join groups at the same time', () => {
  it('get in unless they are refused themselves, whoever goes with whom, and nobody is sent twice for nothing', async () => {
    const joins = fc.array(fc.record({ person: fc.nat(30), group: fc.nat(2), connection: fc.nat(1) }), {
      maxLength: 30,
    });
    const refused = fc.uniqueArray(fc.nat(30), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(joins, refused, fc.scheduler(), async (wishes, bad, scheduler) => {
        const queue = new GroupJoins(new GroupTurns(clock));
        const members = new Map<string, Set<string>>();
        const running = new Set<string>();
        let calls = 0;
        const all = wishes.map(async (wish) => {
          const [slackId, id] = [`S${wish.group}`, `U${wish.person}`];
          const target = { caller, connection: connection(`con_${wish.connection}`) };
          try {
            await queue.join(target, slackId, id, async (ids) => {
              expect(running.has(slackId)).toBe(false);
              running.add(slackId);
              calls += 1;
              await scheduler.schedule(Promise.resolve());
              running.delete(slackId);
              if (ids.some((each) => bad.includes(Number(each.slice(1))))) {
                throw new GroupMembersRefused('DEACTIVATED_OR_GUEST');
              }
              for (const each of ids) members.set(slackId, (members.get(slackId) ?? new Set()).add(each));
            });
            return true;
          } catch (error) {
            expect(error).toBeInstanceOf(GroupMembersRefused);
            return false;
          }
        });
        const results = await scheduler.waitFor(Promise.all(all));
        for (const [index, wish] of wishes.entries()) {
          expect(results[index]).toBe(!bad.includes(wish.person));
          expect(members.get(`S${wish.group}`)?.has(`U${wish.person}`) ?? false).toBe(results[index]);
        }
        expect(calls).toBeLessThanOrEqual(wishes.length + 6);
      }),
    );
  });

  it('go together as soon as somebody has the turn', async () => {
    const queue = new GroupJoins(new GroupTurns(clock));
    const sent: (readonly string[])[] = [];
    const send = async (ids: readonly string[]) => {
      sent.push(ids);
      await new Promise<void>((resolve) => setImmediate(resolve));
    };
    const target = { caller, connection: connection('con_1') };
    await Promise.all(['U1', 'U2', 'U3', 'U4'].map((id) => queue.join(target, 'S1', id, send)));
    expect(sent.flat().sort()).toEqual(['U1', 'U2', 'U3', 'U4']);
    expect(sent.length).toBeLessThanOrEqual(2);
  });

  it('are told of a failure only if it was their own call; the others try again', async () => {
    const queue = new GroupJoins(new GroupTurns(clock));
    let calls = 0;
    const send = async () => {
      calls += 1;
      if (calls === 1) throw new UpstreamUnavailable('down');
    };
    const target = { caller, connection: connection('con_1') };
    const results = await Promise.allSettled(['U1', 'U2', 'U3'].map((id) => queue.join(target, 'S1', id, send)));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
    expect(calls).toBe(2);
  });
});
