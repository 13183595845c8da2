import { WebSocket } from 'ws';

export interface LiveMessage {
  readonly type: string;
  readonly id?: string;
  readonly payload?: unknown;
}

export interface LiveAnswer {
  readonly data?: Record<string, Record<string, unknown>> | null;
  readonly errors?: readonly { message: string; path?: unknown[]; extensions: Record<string, unknown> }[];
}

/** A client of graphql-transport-ws that says what it is told to, valid or not. */
export class LiveSocket {
  readonly received: LiveMessage[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #wakers = new Set<() => void>();
  #read = 0;
  #operations = 0;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data) => {
      this.received.push(JSON.parse(String(data)) as LiveMessage);
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        resolve({ code, reason: String(reason) });
        this.#wake();
      });
    });
    socket.on('error', () => {});
  }

  /** Rejects with the status when the server opens no socket. */
  static open(
    url: string,
    options: { protocols?: string[]; headers?: Record<string, string> } = {},
  ): Promise<LiveSocket> {
    const { protocols = ['graphql-transport-ws'], headers } = options;
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, protocols, { headers });
    return new Promise((resolve, reject) => {
      const live = new LiveSocket(socket);
      socket.on('open', () => resolve(live));
      socket.on('unexpected-response', (_request, response) => {
        reject(new Error(`HTTP ${response.statusCode}`));
        socket.terminate();
      });
      socket.on('error', reject);
    });
  }

  /** Open, and let in with a key. */
  static async connect(url: string, key: string): Promise<LiveSocket> {
    const live = await LiveSocket.open(url);
    live.send({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } });
    await live.take('connection_ack');
    return live;
  }

  send(message: object | string): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** @returns the id of the operation. */
  subscribe(query: string, variables: object = {}, rest: object = {}): string {
    this.#operations += 1;
    const id = String(this.#operations);
    this.send({ id, type: 'subscribe', payload: { query, variables, ...rest } });
    return id;
  }

  complete(id: string): void {
    this.send({ id, type: 'complete' });
  }

  /** The next message, which must be of this type. */
  async take(type: string, id?: string): Promise<LiveMessage> {
    const message = await this.#next();
    if (message.type !== type || (id !== undefined && message.id !== id)) {
      throw new Error(`Expected ${type} of ${id ?? 'any'}, got ${JSON.stringify(message)}`);
    }
    return message;
  }

  async answer(id?: string): Promise<LiveAnswer> {
    return (await this.take('next', id)).payload as LiveAnswer;
  }

  async #next(): Promise<LiveMessage> {
    while (this.#read >= this.received.length) {
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error('The socket is closed');
      await new Promise<void>((resolve) => this.#wakers.add(resolve));
    }
    const message = this.received[this.#read];
    this.#read += 1;
    if (!message) throw new Error('There is no such message');
    return message;
  }

  #wake(): void {
    for (const wake of this.#wakers) wake();
    this.#wakers.clear();
  }
}
