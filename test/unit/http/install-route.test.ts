import { fastify } from 'fastify';
import { StorageUnavailable } from '../../../src/domain/errors';
import { registerInstalls } from '../../../src/http/install.route';
import type { InstallPagesOptions } from '../../../src/http/page-scope';
import { RunningCalls } from '../../../src/http/running-calls';
import { systemClock } from '../../../src/shared/clock';
import { silentLogger } from '../../../src/shared/logger';

const link = `/connect/${'A'.repeat(43)}`;
const ownForm = { 'sec-fetch-site': 'same-origin', 'content-type': 'application/x-www-form-urlencoded' };

/** The pages over services that do as they are told. */
async function pagesWith(open: () => Promise<never>) {
  const lines: object[] = [];
  const calls = new RunningCalls();
  const app = fastify({ logger: false, genReqId: () => 'req_1' });
  const services = { open, begin: open, connectWithToken: open, finish: open, result: open };
  await registerInstalls(app, {
    visits: services,
    callbacks: services,
    calls,
    clock: systemClock,
    logger: { ...silentLogger, error: (fields: object) => void lines.push(fields) },
    publicUrl: () => 'https://gateway.example',
    callTimeoutMs: 1_000,
    signal: new AbortController().signal,
  } as unknown as InstallPagesOptions);
  return { app, calls, lines };
}

describe('the install pages', () => {
  it.each([
    ['a defect', new Error('secret words')],
    ['a database that is away', new StorageUnavailable('secret words')],
  ])('show %s as a page with a number, and log the rest', async (_, error) => {
    const { app, lines } = await pagesWith(() => Promise.reject(error));
    const answers = [
      await app.inject({ url: link }),
      await app.inject({ url: link, method: 'POST', headers: ownForm, body: 'level=WORKSPACE' }),
      await app.inject({ url: `${link}/token`, method: 'POST', headers: ownForm, body: 'token=xoxp-1' }),
      await app.inject({ url: '/api/auth/callback/slack?code=c&state=s' }),
      await app.inject({ url: '/install/result/att_1' }),
    ];
    for (const { statusCode, body, headers } of answers) {
      expect(statusCode).toBe(500);
      expect(body).toContain('<h1>Something went wrong here</h1>');
      expect(body).toContain('<code>req_1</code>');
      expect(body).not.toContain('secret words');
      expect(headers['content-security-policy']).toContain("default-src 'none'");
    }
    expect(lines).toHaveLength(answers.length);
  });

  it('take nothing up while the gateway stops, so that a code is not spent', async () => {
    const { app, calls } = await pagesWith(() => Promise.reject(new Error('asked for')));
    await calls.drain();
    for (const request of [
      { url: '/api/auth/callback/slack?code=c&state=s' },
      { url: link, method: 'POST' as const, headers: ownForm, body: 'level=WORKSPACE' },
      { url: `${link}/token`, method: 'POST' as const, headers: ownForm, body: 'token=xoxp-1' },
    ]) {
      const { statusCode, body } = await app.inject(request);
      expect([statusCode, body]).toEqual([503, expect.stringContaining('This gateway is being restarted.')]);
    }
  });
});
