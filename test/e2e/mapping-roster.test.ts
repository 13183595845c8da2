import fc from 'fast-check';
import type { MappingDefinition } from '../../src/domain/mapping/mapping';
import { aPlainMapping, aPlainRecord } from '../support/mappings';
import { connectSandbox, mutate } from '../support/operations';
import { callsDuring, changePerson, holdersOf, type PersonPayload } from '../support/people';
import { startTestApp, type TestApp } from '../support/start-app';

const MAPPINGS = 6;
const PEOPLE_EACH = 5;

let app: TestApp;
let connectionId: string;

beforeAll(async () => {
  app = await startTestApp();
  connectionId = (await connectSandbox(app, 'enterprise-owner')).id;
});
afterAll(() => app?.stop());

interface Row {
  readonly user: Readonly<Record<string, unknown>> & {
    readonly profileFields: readonly { key: string; value: string }[];
  };
  readonly account: string | null;
  readonly outcome: string | null;
  readonly problems: readonly object[];
}

const userFields = `email userName displayName givenName familyName title timezone locale preferredLanguage userType
  phoneNumber photoUrl employeeNumber costCenter organization division department managerSlackId startDate guestExpiresAt
  profileFields { key value }`;

async function preview(rows: readonly object[]): Promise<readonly Row[]> {
  const query = `query ($input: PreviewMappingInput!) { previewMapping(input: $input) {
    rows { user { ${userFields} } account outcome problems { code message } } problems { message } } }`;
  const { data, text } = await app.call<{ previewMapping: { rows: Row[]; problems: object[] } }>(query, {
    input: { connectionId, rows, checkSlack: true },
  });
  if (!data || data.previewMapping.problems.length > 0) throw new Error(text);
  return data.previewMapping.rows;
}

/** What the account shows in the place of each field that a preview speaks of. */
function shownBy({ user }: PersonPayload): Record<string, unknown> {
  if (!user) return {};
  const { name, employment, guest, ...rest } = user as typeof user & { name: object | null };
  return { ...rest, ...name, ...employment, email: user.primaryEmail, guestExpiresAt: guest?.expiresAt ?? null };
}

/** Records with an address of their own; what else is in them is anything. */
function recordsOf(seed: number): Record<string, unknown>[] {
  return fc
    .sample(aPlainRecord, { numRuns: PEOPLE_EACH, seed })
    .map((record, index) => ({ ...record, email: `roster.${seed}.${index}@example.com` }));
}

const mappings = fc.sample(aPlainMapping, { numRuns: MAPPINGS, seed: 1815 });

let written = 0;
afterAll(() => expect(written).toBeGreaterThan((MAPPINGS * PEOPLE_EACH) / 2));

describe('any mapping and any roster', () => {
  it.each(mappings.map((mapping, index) => [index, mapping] as const))(
    'are written as previewed, and written again change nothing: %i',
    async (seed, mapping) => {
      await setMapping(withoutGroups(mapping));
      const records = recordsOf(seed);
      const rows = await preview(records);
      for (const [index, row] of rows.entries()) await expectAsPreviewed(row, records[index] ?? {});
    },
  );
});

async function setMapping(mapping: MappingDefinition): Promise<void> {
  const { problems } = await mutate<{ problems: object[] }>(
    app,
    'setMapping',
    'SetMappingInput',
    'mapping { version }',
    {
      connectionId,
      mapping,
    },
  );
  expect(problems).toEqual([]);
}

/** Groups of generated names are not there; to join some has tests of its own. */
function withoutGroups({ rules = [], ...mapping }: MappingDefinition): MappingDefinition {
  return { ...mapping, rules: rules.map(({ groups: _, ...rule }) => ({ account: 'MEMBER', ...rule })) };
}

async function expectAsPreviewed(row: Row, record: Record<string, unknown>): Promise<void> {
  const provision = () => changePerson(app, 'provisionUser', { connectionId, record });
  const first = await provision();
  const refusals = first.problems.filter(({ code }) => code !== 'PROFILE_FIELDS_DROPPED');
  if (row.problems.length > 0 || refusals.length > 0) {
    expect(first.outcome).toBe('FAILED');
    expect(holdersOf(app.simulator, String(record.email), 'enterprise')).toEqual([]);
    if (row.problems.length > 0) {
      expect(first.problems.map(({ code, message }) => ({ code, message }))).toEqual(row.problems);
    }
    return;
  }
  written += 1;
  expect(first.outcome).toBe(row.outcome);
  const dropped = new Set(first.problems.flatMap(({ fields = [] }) => fields));
  const shown = shownBy(first);
  for (const [field, value] of Object.entries(row.user)) {
    if (value === null || field === 'photoUrl' || field === 'profileFields' || field === 'phoneNumber') continue;
    if (!dropped.has(field)) expect([field, shown[field]]).toEqual([field, value]);
  }
  const calls = await callsDuring(app.simulator, async () => {
    const second = await provision();
    if (dropped.size === 0 && row.user.photoUrl === null) expect(second.outcome).toBe('UNCHANGED');
    expect(second.user).toEqual(first.user);
  });
  if (dropped.size === 0 && row.user.photoUrl === null) expect(calls).toEqual(['GET /Users']);
}
