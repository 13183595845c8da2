import type { SharedStorage } from './shared-storage';
import { aSlackEvent, later } from './storage-records';

export function slackEventStoreContract(shared: SharedStorage): void {
  const insert = (event: ReturnType<typeof aSlackEvent>) =>
    shared.database.transaction(({ slackEvents }) => slackEvents.insert(event));
  const pending = async (...of: { id: string }[]) => {
    const listed = await shared.database.read(({ slackEvents }) => slackEvents.listPending(1_000));
    return listed.filter(({ id }) => of.some((event) => event.id === id));
  };

  describe('Slack events', () => {
    it('gives back those that nobody handled as they were stored, oldest first', async () => {
      const newer = aSlackEvent({ receivedAt: later(2), teamSlackId: 'T1', organizationSlackId: 'E1' });
      const older = aSlackEvent({ receivedAt: later(1), environment: 'SANDBOX', userSlackIds: [] });
      const handled = aSlackEvent();
      for (const event of [newer, older, handled]) await insert(event);

      await shared.database.transaction(({ slackEvents }) => slackEvents.markHandled(handled.id, later(3)));

      expect(await pending(newer, older, handled)).toEqual([older, newer]);
      expect(await shared.database.read(({ slackEvents }) => slackEvents.listPending(1))).toHaveLength(1);
    });

    it('takes an event once, also of 10 deliveries at once, and after it was handled', async () => {
      const event = aSlackEvent({ type: 'app_uninstalled' });

      const outcomes = await Promise.all(
        Array.from({ length: 10 }, (_, index) => insert({ ...event, receivedAt: later(index) })),
      );

      expect(outcomes.filter(Boolean)).toHaveLength(1);
      expect(await pending(event)).toEqual([{ ...event, receivedAt: later(outcomes.indexOf(true)) }]);
      await shared.database.transaction(({ slackEvents }) => slackEvents.markHandled(event.id, later(9)));
      expect(await insert(event)).toBe(false);
      expect(await pending(event)).toEqual([]);
    });

    it('lets a transaction go on after a duplicate', async () => {
      const [event, next] = [aSlackEvent(), aSlackEvent()];
      await insert(event);

      const outcomes = await shared.database.transaction(async ({ slackEvents }) => [
        await slackEvents.insert(event),
        await slackEvents.insert(next),
      ]);

      expect(outcomes).toEqual([false, true]);
    });

    it('removes what was handled and came before an instant, and nothing that still waits', async () => {
      const [old, young, waiting] = [
        aSlackEvent({ receivedAt: new Date(1_000) }),
        aSlackEvent({ receivedAt: new Date(1_001) }),
        aSlackEvent({ receivedAt: new Date(1_000) }),
      ];
      for (const event of [old, young, waiting]) await insert(event);
      await shared.database.transaction(async ({ slackEvents }) => {
        for (const { id } of [old, young]) await slackEvents.markHandled(id, later(1));
      });

      const removed = await shared.database.transaction(({ slackEvents }) =>
        slackEvents.deleteHandledBefore(new Date(1_001), 9),
      );

      expect(removed).toBe(1);
      expect([await insert(old), await insert(young), await insert(waiting)]).toEqual([true, false, false]);
    });
  });
}
