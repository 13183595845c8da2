import fc from 'fast-check';
import type { Call } from '../../../src/simulator/call';
import { ManualClock } from '../../../src/simulator/clock';
import { RateLimiter } from '../../../src/simulator/scim/rate-limit';
import { answerScim } from '../../../src/simulator/scim/scim.route';
import type { SlackContext } from '../../../src/simulator/scim/scim-request';
import { WriteLocks } from '../../../src/simulator/scim/write-lock';
import { defaultSwitches } from '../../../src/simulator/switches';
import { seedWorld } from '../../../src/simulator/world/seed';
import { snapshotOf } from '../../../src/simulator/world/snapshot';
import { TokenRegistry, tokenValue } from '../../../src/simulator/world/token';
import { enterpriseUrn, guestUrn, patchUrn } from '../../support/simulator-client';

const seed = 'patch';

function aContext(): SlackContext {
  const clock = new ManualClock();
  return {
    world: seedWorld(seed, clock.now()),
    switches: { ...defaultSwitches, limitsEnabled: false },
    clock,
    tokens: new TokenRegistry(seed),
    limits: new RateLimiter(clock),
    locks: new WriteLocks(),
    origin: 'http://slack.example',
    pause: () => Promise.resolve(),
  };
}

function patchOf(path: string, operations: readonly object[]): Call {
  return {
    method: 'PATCH',
    path: `/scim/v2/${path}`,
    query: new URLSearchParams(),
    headers: { authorization: `Bearer ${tokenValue(seed, 'enterprise-owner')}` },
    body: JSON.stringify({ schemas: [patchUrn], Operations: operations }),
    lies: null,
  };
}

const anything = fc.oneof(
  fc.string(),
  fc.boolean(),
  fc.integer(),
  fc.constant(null),
  fc.array(fc.dictionary(fc.string(), fc.string())),
  fc.object(),
);
const paths = [
  ...[
    'active',
    'userName',
    'nickName',
    'displayName',
    'title',
    'timezone',
    'name',
    'name.givenName',
    'emails',
    'phoneNumbers',
    'addresses',
  ],
  ...[
    'emails[primary eq false]',
    'emails[value eq "grace.hopper@acme-group.example"]',
    'phoneNumbers[value eq "+1-555-0101"].value',
    'roles',
  ],
  ...[
    'photos',
    enterpriseUrn,
    `${enterpriseUrn}:manager`,
    `${enterpriseUrn}.department`,
    guestUrn,
    `${guestUrn}.expiration`,
    'id',
    'bogus',
    '',
  ],
];
const fitOperation = fc.oneof(
  fc.record({
    op: fc.constant('replace'),
    path: fc.constantFrom('title', 'userName', 'displayName'),
    value: fc.stringMatching(/^[a-z]{1,12}$/),
  }),
  fc.record({ op: fc.constant('replace'), path: fc.constant('active'), value: fc.boolean() }),
  fc.record({
    op: fc.constant('add'),
    path: fc.constant('emails'),
    value: fc.record({ value: fc.emailAddress(), primary: fc.boolean() }),
  }),
  fc.record({ op: fc.constant('add'), path: fc.constant(guestUrn), value: fc.constant({ type: 'multi' }) }),
);
const oddOperation = fc.record(
  {
    op: fc.constantFrom('add', 'replace', 'remove', 'Replace', 'move'),
    path: fc.constantFrom(...paths),
    value: anything,
  },
  { requiredKeys: ['op'] },
);

describe('PATCH', () => {
  it('changes a person as a whole or not at all, whatever the operations are, and never breaks', async () => {
    const context = aContext();
    const { id } = context.world.organization('enterprise').personByUserName('grace.hopper') ?? {};
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(fitOperation, oddOperation), { maxLength: 6 }), async (operations) => {
        const before = JSON.stringify(snapshotOf(context.world));
        const answer = await answerScim(context, patchOf(`Users/${id}`, operations));
        expect([200, 400, 403, 409]).toContain(answer.status);
        if (answer.status !== 200) expect(JSON.stringify(snapshotOf(context.world))).toBe(before);
      }),
      { numRuns: 200 },
    );
  });

  it('fails as a whole when the last of several fit operations is refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fitOperation, { minLength: 1, maxLength: 5 }), async (operations) => {
        const context = aContext();
        const { id } = context.world.organization('enterprise').personByUserName('grace.hopper') ?? {};
        const before = JSON.stringify(snapshotOf(context.world));
        const answer = await answerScim(
          context,
          patchOf(`Users/${id}`, [...operations, { op: 'remove', path: 'userName' }]),
        );
        expect(answer.status).toBe(400);
        expect(JSON.stringify(snapshotOf(context.world))).toBe(before);
      }),
      { numRuns: 50 },
    );
  });

  it('changes a group as a whole or not at all', async () => {
    const context = aContext();
    const organization = context.world.organization('enterprise');
    const group = [...organization.groups.values()].find(({ displayName }) => displayName === 'Compilers');
    const member = fc.constantFrom('U0NOBODY', ...organization.people.keys());
    const operation = fc.oneof(
      fc.record({
        op: fc.constantFrom('add', 'replace', 'remove'),
        path: fc.constant('members'),
        value: fc.array(fc.record({ value: member })),
      }),
      fc.record({ op: fc.constant('remove'), path: member.map((id) => `members[value eq ${id}]`) }),
      fc.record({ op: fc.constant('replace'), path: fc.constant('displayName'), value: anything }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 5 }), async (operations) => {
        const before = JSON.stringify(snapshotOf(context.world));
        const answer = await answerScim(context, patchOf(`Groups/${group?.id}`, operations));
        expect([200, 400]).toContain(answer.status);
        if (answer.status !== 200) expect(JSON.stringify(snapshotOf(context.world))).toBe(before);
      }),
      { numRuns: 150 },
    );
  });
});
