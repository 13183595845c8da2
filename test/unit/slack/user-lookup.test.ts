import { RateLimited } from '../../../src/domain/errors';
import { urns } from '../../../src/slack/wire';
import { aList, aWireUser, jsonHeaders, makeRig, type Rig, SCIM } from './support';

interface Request {
  readonly filter: string | null;
  readonly startIndex: number;
  readonly count: number;
}

describe('UserLookup', () => {
  let rig: Rig;
  let asked: Request[];
  beforeEach(() => {
    rig = makeRig();
    asked = [];
  });
  afterEach(() => rig.agent.close());

  /** A server that answers each list request as the test says. */
  function serve(answer: (request: Request) => { status?: number; body: object }): void {
    rig.agent
      .get(SCIM)
      .intercept({ path: (path) => path.startsWith('/scim/v2/Users?') })
      .reply(({ path }) => {
        const query = new URL(path, SCIM).searchParams;
        const request = {
          filter: query.get('filter'),
          startIndex: Number(query.get('startIndex')),
          count: Number(query.get('count')),
        };
        asked.push(request);
        const { status = 200, body } = answer(request);
        return { statusCode: status, data: body, responseOptions: jsonHeaders };
      })
      .persist();
  }

  function find(by: { email: string } | { userName: string }) {
    return rig.clock.runUntil(rig.client.findUsers(by, rig.call()));
  }
  const people = Array.from({ length: 2_500 }, (_, index) => aWireUser(`U${index + 1}`));
  function page({ startIndex, count }: Request, list = people, largest = 1000): { body: object } {
    const entries = list.slice(startIndex - 1, startIndex - 1 + Math.min(count, largest));
    return { body: aList(entries, list.length, startIndex) };
  }
  const refusal = { status: 400, body: { Errors: { description: 'no_filters (is_aggregate_call=1)', code: 400 } } };

  it('finds by e-mail with the form in use on v2, and compares without regard to case', async () => {
    serve(() => ({ body: aList([aWireUser('U1')]) }));
    await expect(find({ email: 'U1@Example.COM' })).resolves.toMatchObject([{ slackId: 'U1' }]);
    expect(asked).toEqual([{ filter: 'emails.value eq "U1@Example.COM"', startIndex: 1, count: 100 }]);
  });

  it('asks a standard server that finds nobody once more in lower case', async () => {
    rig.agent
      .get(SCIM)
      .intercept({ path: (path) => path.startsWith('/scim/v2/Users?') })
      .reply(({ path }) => {
        const filter = new URL(path, SCIM).searchParams.get('filter') ?? '';
        const found = filter.includes('u1@example.com') ? [aWireUser('U1')] : [];
        const responseOptions = { headers: { 'content-type': 'application/scim+json' } };
        return { statusCode: 200, data: aList(found), responseOptions };
      })
      .persist();
    await expect(find({ email: 'U1@Example.COM' })).resolves.toMatchObject([{ slackId: 'U1' }]);
    await expect(find({ email: 'U2@Example.COM' })).resolves.toEqual([]);
  });

  it('keeps the plus sign of an address, and escapes quotes', async () => {
    serve(() => ({ body: aList([]) }));
    await find({ email: 'a+b@example.com' });
    await find({ userName: 'a"b\\' });
    expect(asked.map(({ filter }) => filter)).toEqual(['emails.value eq "a+b@example.com"', 'userName eq "a\\"b\\\\"']);
  });

  it('tries the other forms when one is refused, and remembers which one works', async () => {
    serve(({ filter }) => (filter?.startsWith('emails eq') ? { body: aList([aWireUser('U1')]) } : refusal));
    await expect(find({ email: 'u1@example.com' })).resolves.toHaveLength(1);
    await expect(find({ email: 'u1@example.com' })).resolves.toHaveLength(1);
    const forms = asked.map(({ filter }) => filter?.split(' ')[0]);
    expect(forms).toEqual(['emails.value', 'email', 'emails', 'emails']);
  });

  it('walks the whole list when every form is refused', async () => {
    serve((request) => (request.filter === null ? page(request) : refusal));
    await expect(find({ email: 'u2400@example.com' })).resolves.toMatchObject([{ slackId: 'U2400' }]);
    expect(asked.filter(({ filter }) => filter === null).map(({ startIndex }) => startIndex)).toEqual([1, 1001, 2001]);
  });

  it.each([
    [400, { scimType: 'invalidFilter', detail: 'The filter is wrong', status: '400' }],
    [400, { scimType: 'invalidValue', status: '400' }],
    [403, { scimType: 'tooMany', status: '403' }],
    [501, {}],
  ])('takes %d %j for a refused filter', async (status, body) => {
    serve((request) => (request.filter === null ? page(request) : { status, body }));
    await expect(find({ userName: 'u7' })).resolves.toMatchObject([{ slackId: 'U7' }]);
  });

  it('does not trust a server that ignores the filter', async () => {
    serve((request) => page(request));
    await expect(find({ userName: 'U2499' })).resolves.toMatchObject([{ slackId: 'U2499' }]);
    await expect(find({ email: 'nobody@example.com' })).resolves.toEqual([]);
  });

  it('believes an empty answer to a filter', async () => {
    serve(() => ({ body: { totalResults: 0 } }));
    await expect(find({ userName: 'u1' })).resolves.toEqual([]);
    expect(asked).toHaveLength(1);
  });

  it('follows a server that gives smaller pages than it was asked for', async () => {
    serve((request) => (request.filter === null ? page(request, people.slice(0, 250), 100) : refusal));
    await expect(find({ userName: 'u250' })).resolves.toHaveLength(1);
  });

  it('ends a list that repeats its first page past the end, and names nobody twice', async () => {
    const everybody = people.slice(0, 10).map((person) => ({ ...person, userName: 'same' }));
    serve(({ filter }) => (filter === null ? { body: aList(everybody, 1_000_000) } : refusal));
    await expect(find({ userName: 'same' })).resolves.toHaveLength(10);
    expect(asked.filter(({ filter }) => filter === null)).toHaveLength(2);
  });

  it('ends a list whose total keeps growing, at the first empty page', async () => {
    serve((request) => {
      if (request.filter !== null) return refusal;
      const { body } = page(request, people.slice(0, 1500));
      return { body: { ...body, totalResults: request.startIndex + 5000 } };
    });
    await expect(find({ userName: 'u1500' })).resolves.toHaveLength(1);
  });

  it('names somebody who is on two pages once', async () => {
    const shifted = [...people.slice(0, 1000), ...people.slice(999, 1200)].map((person) => ({
      ...person,
      userName: 'same',
    }));
    serve((request) => (request.filter === null ? page(request, shifted) : refusal));
    const found = await find({ userName: 'same' });
    expect(new Set(found.map(({ slackId }) => slackId)).size).toBe(found.length);
    expect(found).toHaveLength(1200);
  });

  it('passes over entries that are no people, with a warning', async () => {
    serve(() => ({ body: aList([{}, aWireUser('U1'), { id: '' }]) }));
    const slice = await rig.client.listUsers({ startIndex: 1, count: 10 }, rig.call());
    expect(slice.users).toMatchObject([{ slackId: 'U1' }]);
    expect(rig.logger.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', fields: { requestId: 'req_1', skipped: 2 } }),
    );
  });

  it('lists one page a call, with the largest page that Slack takes', async () => {
    serve((request) => page(request));
    const slice = await rig.client.listUsers({ startIndex: 2001, count: 5000 }, rig.call());
    expect(asked).toEqual([{ filter: null, startIndex: 2001, count: 1000 }]);
    expect(slice).toMatchObject({ totalResults: 2500, startIndex: 2001 });
    expect(slice.users).toHaveLength(500);
  });

  it('answers an empty page past the end, also when the server repeats the first one', async () => {
    serve(() => ({ body: aList(people.slice(0, 5), 5) }));
    const slice = await rig.client.listUsers({ startIndex: 6, count: 5 }, rig.call());
    expect(slice).toEqual({ users: [], totalResults: 5, startIndex: 6, entryCount: 0 });
  });

  it('lists by e-mail and user name as it finds', async () => {
    serve(({ filter }) => (filter === null ? { body: aList(people.slice(0, 9)) } : refusal));
    const slice = await rig.client.listUsers(
      { startIndex: 1, count: 5, filter: { email: 'u3@example.com' } },
      rig.call(),
    );
    expect(slice).toMatchObject({ users: [{ slackId: 'U3' }], totalResults: 1, startIndex: 1 });
  });

  describe('guests', () => {
    const guest = aWireUser('U9999', { [urns.guest]: { type: 'multi' } });

    it("are filtered by Slack's documented form", async () => {
      serve(() => ({ body: aList([guest], 40, 11) }));
      const slice = await rig.client.listUsers({ startIndex: 11, count: 10, filter: { guest: true } }, rig.call());
      expect(asked).toEqual([{ filter: "restricted eq '1'", startIndex: 11, count: 10 }]);
      expect(slice).toMatchObject({ users: [{ slackId: 'U9999' }], totalResults: 40, startIndex: 11 });
    });

    it.each([
      ['refused', () => refusal],
      ['ignored', (request: Request) => page(request, people.slice(0, 30))],
    ])('are picked here when the filter is %s', async (_, onFilter) => {
      const everybody = [...people.slice(0, 1100), guest];
      serve((request) => (request.filter === null ? page(request, everybody) : onFilter(request)));
      const slice = await rig.client.listUsers({ startIndex: 1, count: 10, filter: { guest: true } }, rig.call());
      expect(slice).toMatchObject({ users: [{ slackId: 'U9999' }], totalResults: 1, startIndex: 1 });
    });
  });

  it('stops a walk at a rate limit that would outlast the deadline', async () => {
    serve((request) => {
      if (request.filter !== null) return refusal;
      return request.startIndex === 1 ? page(request) : { status: 429, body: {} };
    });
    await expect(find({ userName: 'u2400' }).catch((error: unknown) => error)).resolves.toBeInstanceOf(RateLimited);
  });
});
