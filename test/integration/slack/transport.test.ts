import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import { createTransport, type Transport, TransportFailure } from '../../../src/slack/transport';

const TOKEN = 'xoxp-canary-0123456789';

describe('createTransport', () => {
  let server: Server | TcpServer | undefined;
  let sockets: Set<Socket>;
  let transport: Transport;
  beforeEach(() => {
    sockets = new Set();
    transport = createTransport({ attemptTimeoutMs: 500 });
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await transport.close();
    await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
    server = undefined;
  });

  async function listen(started: Server | TcpServer): Promise<string> {
    server = started;
    started.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
  }
  function serve(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
    return listen(createServer(handler));
  }
  function send(url: string, options: { signal?: AbortSignal; maxBodyBytes?: number; body?: string } = {}) {
    const { signal = new AbortController().signal, maxBodyBytes = 1_000_000, body } = options;
    return transport.send({
      method: body === undefined ? 'GET' : 'POST',
      url,
      headers: { authorization: `Bearer ${TOKEN}` },
      ...(body === undefined ? {} : { body }),
      maxBodyBytes,
      timeoutMs: 500,
      signal,
    });
  }
  async function failureOf(sending: Promise<unknown>): Promise<TransportFailure> {
    const error = await sending.then(
      () => undefined,
      (cause: unknown) => cause,
    );
    if (!(error instanceof TransportFailure)) throw new Error('No TransportFailure');
    return error;
  }

  it('brings status, headers and text', async () => {
    const url = await serve((request, response) => {
      response.writeHead(201, { 'retry-after': '7', 'content-type': 'application/json' });
      response.end(JSON.stringify({ method: request.method, authorization: request.headers.authorization }));
    });
    const answer = await send(url, { body: '{}' });
    expect(answer.status).toBe(201);
    expect(answer.header('retry-after')).toBe('7');
    expect(answer.header('x-none')).toBeUndefined();
    expect(JSON.parse(answer.text ?? '')).toEqual({ method: 'POST', authorization: `Bearer ${TOKEN}` });
  });

  it('knows that a refused connection carried nothing', async () => {
    const url = await serve(() => undefined);
    await new Promise<void>((resolve) => server?.close(() => resolve()) ?? resolve());
    server = undefined;
    const failure = await failureOf(send(url, { body: '{}' }));
    expect(failure).toMatchObject({ wasSent: false, reason: 'ECONNREFUSED' });
  });

  it('knows that a name without an address carried nothing', async () => {
    const failure = await failureOf(send('http://nobody.invalid/', { body: '{}' }));
    expect(failure.wasSent).toBe(false);
  });

  it('knows that a failed handshake carried nothing', async () => {
    const url = await listen(createTcpServer((socket) => socket.end('no tls here\r\n')));
    const failure = await failureOf(send(url.replace('http:', 'https:'), { body: '{}' }));
    expect(failure.wasSent).toBe(false);
  });

  it('takes a reset after the request for a lost answer', async () => {
    const url = await serve((request) => request.socket.destroy());
    const failure = await failureOf(send(url, { body: '{}' }));
    expect(failure.wasSent).toBe(true);
    expect(failure.cause).toBeUndefined();
    expect(failure.message).not.toContain(TOKEN);
  });

  it('ends at the time limit when the server hangs', async () => {
    const url = await serve(() => undefined);
    const failure = await failureOf(send(url, { body: '{}' }));
    expect(failure).toMatchObject({ wasSent: true, reason: 'TIMEOUT' });
  });

  it('ends at the time limit when the body drips, and keeps the status', async () => {
    const url = await serve((_, response) => {
      response.writeHead(201, { 'content-type': 'application/json' });
      const drip = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(drip));
    });
    const startedAt = Date.now();
    const answer = await send(url, { body: '{}' });
    expect(answer).toMatchObject({ status: 201, text: undefined });
    expect(Date.now() - startedAt).toBeLessThan(2_000);
  });

  it('keeps the status of an answer that breaks off', async () => {
    const url = await serve((_, response) => {
      response.writeHead(201, { 'content-length': '1000' });
      response.write('{"id":"U1"');
      setImmediate(() => response.destroy());
    });
    await expect(send(url, { body: '{}' })).resolves.toMatchObject({ status: 201, text: undefined });
  });

  it('does not read more than it was allowed', async () => {
    let written = 0;
    const url = await serve((_, response) => {
      const chunk = 'x'.repeat(64_000);
      const more = () => {
        while (response.writable && written < 500_000_000) {
          written += chunk.length;
          if (!response.write(chunk)) break;
        }
      };
      response.on('drain', more);
      more();
    });
    await expect(send(url, { maxBodyBytes: 100_000 })).resolves.toMatchObject({ status: 200, text: undefined });
    expect(written).toBeLessThan(50_000_000);
  });

  it('gives a redirect back instead of following it', async () => {
    let visits = 0;
    const url = await serve((request, response) => {
      visits += 1;
      response.writeHead(307, { location: `${request.url}elsewhere` }).end();
    });
    await expect(send(url)).resolves.toMatchObject({ status: 307 });
    expect(visits).toBe(1);
  });

  it('ends at once when the caller leaves, before and during the call', async () => {
    const url = await serve(() => undefined);
    const gone = await failureOf(send(url, { signal: AbortSignal.abort() }));
    expect(gone).toMatchObject({ wasSent: false, reason: 'ABORTED' });
    const caller = new AbortController();
    const startedAt = Date.now();
    const sending = failureOf(send(url, { signal: caller.signal }));
    setTimeout(() => caller.abort(), 30);
    expect((await sending).reason).not.toBe('TIMEOUT');
    expect(Date.now() - startedAt).toBeLessThan(400);
  });

  it('leaves no listener on the signal of a long operation', async () => {
    const url = await serve((_, response) => response.end('{}'));
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...parameters: Parameters<typeof add>) => {
      listeners += 1;
      add(...parameters);
    };
    signal.removeEventListener = (...parameters: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...parameters);
    };
    for (let call = 0; call < 5; call += 1) await send(url, { signal });
    expect(listeners).toBe(0);
  });

  it('serves others while twenty calls hang', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/hang') return;
      response.end('{}');
    });
    const hanging = Array.from({ length: 20 }, () => failureOf(send(`${url}/hang`)));
    const startedAt = Date.now();
    await Promise.all(Array.from({ length: 20 }, () => send(`${url}/well`)));
    expect(Date.now() - startedAt).toBeLessThan(450);
    await Promise.all(hanging);
  });

  it('closes in time although an answer never comes', async () => {
    const url = await serve(() => undefined);
    const lasting = createTransport({ attemptTimeoutMs: 60_000 });
    const sent = lasting.send({
      method: 'GET',
      url,
      headers: {},
      maxBodyBytes: 1_000,
      timeoutMs: 60_000,
      signal: new AbortController().signal,
    });
    const failed = expect(sent).rejects.toMatchObject({ wasSent: true });

    await lasting.close();

    await failed;
  });
});
