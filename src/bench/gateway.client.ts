import { Agent, request } from 'undici';

interface Counts {
  readonly total: number;
  readonly succeeded: number;
}

interface OperationAnswer {
  readonly id: string;
  readonly status: string;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly counts: Counts;
}

const LONGEST_POLL_MS = 100;
const SHORTEST_POLL_MS = 10;
const operationFields = 'id status startedAt finishedAt counts { total succeeded }';

/** Seldom, since each look costs the gateway something, and more often near the end, whose moment is what is measured. */
function pollMs({ counts: { succeeded, total } }: OperationAnswer, elapsedMs: number): number {
  const leftMs = succeeded === 0 ? LONGEST_POLL_MS : (elapsedMs * (total - succeeded)) / succeeded;
  return Math.min(LONGEST_POLL_MS, Math.max(SHORTEST_POLL_MS, leftMs / 2));
}

/** The gateway as its clients see it. */
export class GatewayClient {
  readonly #agent = new Agent();

  constructor(
    private readonly url: string,
    private readonly key: string,
  ) {}

  close(): Promise<void> {
    return this.#agent.close();
  }

  async connect(token: string): Promise<string> {
    const { connection } = await this.#mutate<{ connection: { id: string } | null }>(
      'createConnection',
      'CreateConnectionInput',
      'connection { id }',
      { name: 'Bench', environment: 'LIVE', token },
    );
    if (connection === null) throw new Error('The gateway did not connect to the simulator');
    return connection.id;
  }

  async provision(connectionId: string, email: string): Promise<void> {
    const { outcome } = await this.#mutate<{ outcome: string }>('provisionUser', 'ProvisionUserInput', 'outcome', {
      connectionId,
      user: { email },
    });
    if (outcome !== 'CREATED') throw new Error(`A person was not created but ${outcome}`);
  }

  /** @param look is called again and again meanwhile. @returns milliseconds from the request to the last item. */
  async provisionAll(connectionId: string, emails: readonly string[], look: () => void = () => {}): Promise<number> {
    const startedAt = performance.now();
    const users = emails.map((email) => ({ email }));
    const { operation } = await this.#mutate<{ operation: OperationAnswer | null }>(
      'provisionUsers',
      'ProvisionUsersInput',
      `operation { ${operationFields} }`,
      { connectionId, users },
    );
    if (operation === null) throw new Error('The operation was not accepted');
    for (let current = operation; ; ) {
      look();
      if (current.finishedAt !== null) {
        const { succeeded, total } = current.counts;
        if (succeeded !== emails.length) throw new Error(`Of ${total} people ${succeeded} were created`);
        return performance.now() - startedAt;
      }
      await new Promise((resolve) => setTimeout(resolve, pollMs(current, performance.now() - startedAt)));
      const answer = await this.#post<{ operation: OperationAnswer }>(
        `query ($id: ID!) { operation(id: $id) { ${operationFields} } }`,
        { id: operation.id },
      );
      current = answer.operation;
    }
  }

  /** Reads everybody, page by page. @returns how many there are. */
  async list(connectionId: string, pageSize: number): Promise<number> {
    const query = `query ($id: ID!, $first: Int!, $after: String) { connection(id: $id) { users(first: $first, after: $after) {
      nodes { slackId userName primaryEmail active } pageInfo { hasNextPage endCursor } } } }`;
    let count = 0;
    for (let after: string | null = null; ; ) {
      const answer: ListAnswer = await this.#post<ListAnswer>(query, { id: connectionId, first: pageSize, after });
      const { nodes, pageInfo } = answer.connection.users;
      count += nodes.length;
      if (!pageInfo.hasNextPage) return count;
      after = pageInfo.endCursor;
    }
  }

  async #mutate<Payload>(name: string, inputType: string, selection: string, input: object): Promise<Payload> {
    const query = `mutation ($input: ${inputType}!) { ${name}(input: $input) { ${selection} problems { code message } } }`;
    const data = await this.#post<Record<string, Payload & { problems: { message: string }[] }>>(query, { input });
    const payload = data[name];
    if (payload === undefined) throw new Error(`${name} was not answered`);
    const [problem] = payload.problems;
    if (problem !== undefined) throw new Error(`${name}: ${problem.message}`);
    return payload;
  }

  async #post<Data>(query: string, variables: object): Promise<Data> {
    const answer = await request(`${this.url}/graphql`, {
      method: 'POST',
      dispatcher: this.#agent,
      headers: { authorization: `Bearer ${this.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await answer.body.json()) as { data?: Data; errors?: { message: string }[] };
    if (!data) throw new Error(`The gateway answered: ${errors?.map(({ message }) => message).join('; ')}`);
    return data;
  }
}

interface ListAnswer {
  readonly connection: {
    readonly users: {
      readonly nodes: readonly object[];
      readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
    };
  };
}
