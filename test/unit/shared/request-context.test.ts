import { setTimeout as sleep } from 'node:timers/promises';
import { requestContext } from '../../../src/shared/request-context';

const idAfterAwait = async () => {
  await sleep(1);
  return requestContext.getStore()?.requestId;
};

describe('requestContext', () => {
  it('keeps requests apart that run at the same time', async () => {
    const ids = ['req_1', 'req_2', 'req_3'];
    const seen = await Promise.all(ids.map((requestId) => requestContext.run({ requestId }, idAfterAwait)));
    expect(seen).toEqual(ids);
    expect(requestContext.getStore()).toBeUndefined();
  });

  it('stays with a request when others end before it, however they ended', async () => {
    const seen = await requestContext.run({ requestId: 'req_long' }, async () => {
      await requestContext.run({ requestId: 'req_short' }, idAfterAwait);
      await requestContext.run({ requestId: 'req_bad' }, () => Promise.reject(new Error('no'))).catch(() => undefined);
      return idAfterAwait();
    });
    expect(seen).toBe('req_long');
  });

  it('is there again for requests that come after a time without any', async () => {
    expect(await requestContext.run({ requestId: 'req_1' }, idAfterAwait)).toBe('req_1');
    expect(await requestContext.run({ requestId: 'req_2' }, idAfterAwait)).toBe('req_2');
  });

  it('lasts for work that says itself when it has ended', async () => {
    let seen: Promise<string | undefined> = Promise.resolve(undefined);
    const leave = requestContext.enter({ requestId: 'req_1' }, () => {
      seen = idAfterAwait();
    });
    expect(await seen).toBe('req_1');
    leave();
    expect(requestContext.getStore()).toBeUndefined();
  });
});
