import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HeldCall {
  /** Resolves when the call has come. */
  readonly arrived: Promise<void>;
  /** Lets it go on. */
  release(): void;
}

/** Stands in front of a simulator and keeps chosen calls waiting until a test lets them go. */
export interface Gate {
  readonly url: string;
  /** Holds the next call to such a path. */
  hold(path: RegExp): HeldCall;
  stop(): Promise<void>;
}

interface Hold {
  readonly path: RegExp;
  readonly arrive: () => void;
  readonly released: Promise<void>;
}

/** Headers that belong to one connection, or that fetch makes itself. */
const ownHeaders = ['host', 'connection', 'content-length', 'transfer-encoding', 'keep-alive'];

export async function startGate(target: string): Promise<Gate> {
  const holds: Hold[] = [];
  const releases = new Set<() => void>();
  const server = createServer((request, response) => {
    answer(request, response, target, holds).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    hold(path) {
      let arrive = () => {};
      let release = () => {};
      const arrived = new Promise<void>((resolve) => {
        arrive = resolve;
      });
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      releases.add(release);
      holds.push({ path, arrive, released });
      return { arrived, release };
    },
    async stop() {
      for (const release of releases) release();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  target: string,
  holds: Hold[],
): Promise<void> {
  const url = request.url ?? '/';
  const body = Buffer.concat(await request.toArray());
  const place = holds.findIndex(({ path }) => path.test(url));
  const [hold] = place === -1 ? [] : holds.splice(place, 1);
  hold?.arrive();
  await hold?.released;
  const headers = Object.entries(request.headers).filter(([name]) => !ownHeaders.includes(name)) as [string, string][];
  const { method = 'GET' } = request;
  const answered = await fetch(`${target}${url}`, { method, headers, body: method === 'GET' ? undefined : body });
  const text = Buffer.from(await answered.arrayBuffer());
  const passed = [...answered.headers].filter(([name]) => !ownHeaders.includes(name));
  response.writeHead(answered.status, Object.fromEntries(passed)).end(text);
}
