import { Agent, request } from 'undici';

/** Calls SCIM with nothing around it: no budget, no record, no second look. What every measurement is held against. */
export class BareSlackClient {
  readonly #agent: Agent;

  constructor(
    private readonly url: string,
    private readonly token: string,
    private readonly concurrency: number,
  ) {
    this.#agent = new Agent({ connections: concurrency });
  }

  close(): Promise<void> {
    return this.#agent.close();
  }

  /** @returns milliseconds. */
  async createAll(emails: readonly string[]): Promise<number> {
    const startedAt = performance.now();
    const waiting = emails.values();
    await Promise.all(
      Array.from({ length: this.concurrency }, async () => {
        for (const email of waiting) await this.create(email);
      }),
    );
    return performance.now() - startedAt;
  }

  async create(email: string): Promise<void> {
    const [userName = email] = email.split('@');
    const body = {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      userName,
      emails: [{ value: email, primary: true }],
    };
    await this.#send('POST', '/Users', body);
  }

  async find(email: string): Promise<void> {
    await this.#send('GET', `/Users?filter=${encodeURIComponent(`email eq "${email}"`)}`);
  }

  /** Reads everybody, page by page. @returns how many there are. */
  async list(pageSize: number): Promise<number> {
    for (let start = 1; ; start += pageSize) {
      const page = await this.#send('GET', `/Users?startIndex=${start}&count=${pageSize}`);
      const { totalResults = 0 } = page as { totalResults?: number };
      if (start + pageSize > totalResults) return totalResults;
    }
  }

  async #send(method: 'GET' | 'POST', path: string, body?: object): Promise<unknown> {
    const answer = await request(`${this.url}/scim/v2${path}`, {
      method,
      dispatcher: this.#agent,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${method} ${path} was answered ${answer.statusCode}: ${text}`);
    return JSON.parse(text);
  }
}
