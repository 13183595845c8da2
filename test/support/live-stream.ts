import type { LiveAnswer } from './live-socket';

export interface StreamEvent {
  readonly event: string;
  readonly answer: LiveAnswer | undefined;
}

/** One subscription over server-sent events. */
export class LiveStream {
  readonly #events: AsyncGenerator<StreamEvent, void>;
  readonly #aborting: AbortController;

  private constructor(
    readonly status: number,
    readonly headers: Headers,
    body: ReadableStream<Uint8Array>,
    aborting: AbortController,
  ) {
    this.#events = parseEvents(body);
    this.#aborting = aborting;
  }

  static async open(
    url: string,
    { key, query, variables, headers }: { key?: string; query: string; variables?: object; headers?: object },
  ): Promise<LiveStream> {
    const aborting = new AbortController();
    const response = await fetch(`${url}/graphql/stream`, {
      method: 'POST',
      headers: {
        accept: 'text/event-stream',
        'content-type': 'application/json',
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...headers,
      },
      body: JSON.stringify({ query, variables }),
      signal: aborting.signal,
    });
    if (!response.body) throw new Error('There is no body');
    return new LiveStream(response.status, response.headers, response.body, aborting);
  }

  /** @returns undefined when the stream has ended. */
  async next(): Promise<StreamEvent | undefined> {
    const { value } = await this.#events.next();
    return value ?? undefined;
  }

  async answer(): Promise<LiveAnswer> {
    const event = await this.next();
    if (event?.event !== 'next' || !event.answer) throw new Error(`Expected an answer, got ${JSON.stringify(event)}`);
    return event.answer;
  }

  leave(): void {
    this.#aborting.abort();
  }
}

async function* parseEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent, void> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = /^event: (.*)$/m.exec(block)?.[1];
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (event !== undefined) yield { event, answer: data ? (JSON.parse(data) as LiveAnswer) : undefined };
    }
  }
}
