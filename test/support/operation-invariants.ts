import { systemClock } from '../../src/shared/clock';
import { endedStatuses, type ItemAnswer, type OperationAnswer, readItems, readOperation } from './bulk';
import type { OperationWorld } from './operation-world';
import { holdersOf, peopleOf } from './people';

/**
 * What must hold once an operation has ended, whatever happened on its way (I1, I2, I4 and I5 of the fault table; I3 is
 * looked at when the world stops, I6 where a token dies).
 * @param domain of the e-mail addresses that only this operation gave accounts to.
 */
export async function expectInvariants(
  world: OperationWorld,
  id: string,
  { domain }: { readonly domain?: string } = {},
): Promise<{ operation: OperationAnswer; items: ItemAnswer[] }> {
  const { app, key, simulator } = world;
  const operation = await readOperation(app, id, { key });
  const items = await readItems(app, id, { key });
  expect(endedStatuses).toContain(operation.status);
  expectCountsOf(items, operation);
  if (domain !== undefined) {
    const succeeded = items.filter(({ status }) => status === 'SUCCEEDED');
    for (const { subject, user } of succeeded) {
      expect([subject, holdersOf(simulator, subject).map((person) => person.id)]).toEqual([subject, [user?.slackId]]);
    }
    const emails = new Set(succeeded.map(({ subject }) => subject.toLowerCase()));
    const made = peopleOf(simulator).filter(({ primaryEmail }) => primaryEmail?.toLowerCase().endsWith(`@${domain}`));
    expect(made).toHaveLength(emails.size);
  }
  for (const { url } of world.apps) expect((await fetch(`${url}/readyz`)).status).toBe(200);
  const running = "SELECT COUNT(*) AS count FROM operation_items WHERE status = 'RUNNING' AND operation_id = ";
  expect(Number((await world.query(`${running}'${id}'`))[0]?.count)).toBe(0);
  await expectNoLease(world, id);
  return { operation, items };
}

/** Another replica may have come for the operation at the moment of its end: it finds nothing to do, and gives the lease back. */
async function expectNoLease(world: OperationWorld, id: string): Promise<void> {
  const leases = () => world.query(`SELECT owner FROM leases WHERE name = 'operation ${id}'`);
  for (let turn = 0; turn < 80 && (await leases()).length > 0; turn += 1) await systemClock.sleep(25);
  expect(await leases()).toEqual([]);
}

/** I1: each item is in exactly one final state, and the counts say so. */
function expectCountsOf(items: readonly ItemAnswer[], { counts }: OperationAnswer): void {
  expect(items.map(({ index }) => index)).toEqual(Array.from({ length: counts.total }, (_, index) => index));
  const count = (wanted: string) => items.filter(({ status }) => status === wanted).length;
  expect(counts).toEqual({
    total: items.length,
    ...{ pending: 0, running: 0, held: 0 },
    ...{ succeeded: count('SUCCEEDED'), failed: count('FAILED'), skipped: count('SKIPPED') },
  });
}
