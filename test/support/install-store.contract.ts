import { randomBytes } from 'node:crypto';
import type { TenantId } from '../../src/domain/access/access';
import type { ConnectionId } from '../../src/domain/connections/connection';
import type { Install, InstallId, InstallProblem } from '../../src/domain/installs/install';
import { newId } from '../../src/shared/ids';
import type { SharedStorage } from './shared-storage';
import { anAttempt, anInstall, aTenant, later, someInstant } from './storage-records';

const problem: InstallProblem = {
  code: 'WRONG_WORKSPACE',
  message: 'Another workspace.',
  remedy: 'Choose the one that is connected.',
  detail: 'T1 instead of T2',
};

export function installStoreContract(shared: SharedStorage): void {
  const storeTenant = async (): Promise<TenantId> => {
    const tenant = aTenant();
    await shared.database.transaction(({ tenants }) => tenants.insert(tenant));
    return tenant.id;
  };
  const storeInstall = async (fields: Partial<Install> = {}) => {
    const install = anInstall(await storeTenant(), fields);
    await shared.database.transaction(({ installs }) => installs.insert(install));
    return install;
  };
  const find = ({ tenantId, id }: Install) => shared.database.read(({ installs }) => installs.find(tenantId, id));

  describe('installs', () => {
    it.each<[string, Partial<Install>]>([
      ['bare', {}],
      [
        'full',
        {
          ways: 'CONSENT_OR_TOKEN',
          externalId: 'customer-7',
          environment: 'GOV',
          level: 'ORGANIZATION',
          returnUrl: 'https://partner.example/done?x=1',
          connectionId: newId<ConnectionId>('con'),
          problem,
          completedAt: later(1),
        },
      ],
    ])('gives back an install as it was stored, %s', async (_, fields) => {
      const install = await storeInstall(fields);
      const { secretHash, ...known } = install;

      const found = await shared.database.read(async ({ installs }) => [
        await installs.find(install.tenantId, install.id),
        await installs.findOwner(anAttempt(install.id)),
        await installs.findBySecret(secretHash),
      ]);

      expect(found).toEqual([known, known, install]);
    });

    it('finds none of another tenant, and none by another secret', async () => {
      const [install, other] = [await storeInstall(), await storeInstall()];

      const found = await shared.database.read(async ({ installs }) => [
        await installs.find(other.tenantId, install.id),
        await installs.findBySecret(randomBytes(32)),
        await installs.findOwner(anAttempt(newId<InstallId>('ins'))),
      ]);

      expect(found).toEqual([undefined, undefined, undefined]);
    });

    it('lets one of 20 completions at once win, which clears the problem of an attempt before', async () => {
      const install = await storeInstall();
      const connections = Array.from({ length: 20 }, () => newId<ConnectionId>('con'));
      await shared.database.transaction(({ installs }) => installs.recordProblem(install.id, problem));
      expect((await find(install))?.problem).toEqual(problem);

      const outcomes = await Promise.all(
        connections.map((id) =>
          shared.database.transaction(({ installs }) => installs.complete(install.id, id, later(1))),
        ),
      );
      await shared.database.transaction(({ installs }) => installs.recordProblem(install.id, problem));

      expect(outcomes.filter(Boolean)).toHaveLength(1);
      expect(await find(install)).toMatchObject({
        connectionId: connections[outcomes.indexOf(true)],
        completedAt: later(1),
        problem: undefined,
      });
    });

    it('stores of a problem its few words only', async () => {
      const install = await storeInstall();
      const error = Object.assign(new Error('Not so.'), { code: 'CONFLICT' as const, token: 'xoxp-secret' });

      await shared.database.transaction(({ installs }) => installs.recordProblem(install.id, error));

      expect((await find(install))?.problem).toEqual({ code: 'CONFLICT', message: 'Not so.' });
    });

    it('removes what expired before an instant, together with its attempts', async () => {
      const [old, young] = [
        await storeInstall({ expiresAt: new Date(1_000_000) }),
        await storeInstall({ expiresAt: new Date(1_000_001) }),
      ];
      const [oldAttempt, youngAttempt] = [anAttempt(old.id), anAttempt(young.id)];
      await shared.database.transaction(async ({ installs }) => {
        await installs.insertAttempt(oldAttempt);
        await installs.insertAttempt(youngAttempt);
      });

      const removed = await shared.database.transaction(({ installs }) =>
        installs.deleteExpired(new Date(1_000_001), 9),
      );

      expect(removed).toBe(1);
      const left = await shared.database.read(async ({ installs }) => [
        await installs.find(old.tenantId, old.id),
        await installs.findAttemptById(oldAttempt.id),
        (await installs.find(young.tenantId, young.id))?.id,
        await installs.findAttempt(youngAttempt.stateHash),
      ]);
      expect(left).toEqual([undefined, undefined, young.id, youngAttempt]);
    });
  });

  describe('attempts at an install', () => {
    it('gives one back as it was stored, by its state and by its id, with what came of it', async () => {
      const install = await storeInstall();
      const [attempt, other] = [anAttempt(install.id), anAttempt(install.id, { level: 'ORGANIZATION' })];
      await shared.database.transaction(async ({ installs }) => {
        await installs.insertAttempt(attempt);
        await installs.insertAttempt(other);
        await installs.consumeAttempt(attempt.id, later(1));
        await installs.finishAttempt(attempt.id, { outcome: 'FAILED', problem, at: later(2) });
      });

      const found = await shared.database.read(async ({ installs }) => [
        await installs.findAttempt(attempt.stateHash),
        await installs.findAttemptById(attempt.id),
        await installs.findAttempt(other.stateHash),
        await installs.findAttempt(attempt.browserHash),
      ]);

      const finished = { ...attempt, consumedAt: later(1), finishedAt: later(2), outcome: 'FAILED', problem };
      expect(found).toEqual([finished, finished, other, undefined]);
    });

    it('lets one of 20 callbacks at once consume a state, and keeps the first instant', async () => {
      const install = await storeInstall();
      const attempt = anAttempt(install.id);
      await shared.database.transaction(({ installs }) => installs.insertAttempt(attempt));

      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          shared.database.transaction(({ installs }) => installs.consumeAttempt(attempt.id, later(index))),
        ),
      );

      expect(outcomes.filter(Boolean)).toHaveLength(1);
      const stored = await shared.database.read(({ installs }) => installs.findAttemptById(attempt.id));
      expect(stored?.consumedAt).toEqual(later(outcomes.indexOf(true)));
    });

    it('refuses a second one with the same state, and one of an install that is gone', async () => {
      const install = await storeInstall();
      const attempt = anAttempt(install.id);
      await shared.database.transaction(({ installs }) => installs.insertAttempt(attempt));
      const insert = (fields: Parameters<typeof anAttempt>[1], installId = install.id) =>
        shared.database.transaction(({ installs }) => installs.insertAttempt(anAttempt(installId, fields)));

      await expect(insert({ stateHash: attempt.stateHash })).rejects.toMatchObject({ name: 'UniqueViolation' });
      await expect(insert({ createdAt: someInstant }, newId<InstallId>('ins'))).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
    });
  });
}
