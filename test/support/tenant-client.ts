import {
  type ConnectionAnswer,
  type ConnectionPayloadAnswer,
  changeConnection,
  changeUser,
  connectSandbox,
  mutate,
  type ProblemAnswer,
  readConnection,
  type UserPayloadAnswer,
} from './operations';
import type { GraphQLAnswer, TestApp } from './start-app';
import { createTenant, type PermissionName } from './tenants';

export interface DeletedPayloadAnswer {
  readonly deletedId: string | null;
  readonly problems: ProblemAnswer[];
}

/** Speaks to a gateway with the key of one tenant. */
export class TenantClient {
  constructor(
    private readonly app: TestApp,
    readonly key: string,
  ) {}

  /** With a tenant of its own. */
  static async create(app: TestApp, permissions?: readonly PermissionName[]): Promise<TenantClient> {
    return new TenantClient(app, (await createTenant(app, permissions)).key);
  }

  /** @param token the name of one of the simulator's tokens, or a token. */
  createConnection(token: string, input: object = {}): Promise<ConnectionPayloadAnswer> {
    return this.change('createConnection', {
      name: 'Acme',
      environment: 'SANDBOX',
      token: this.tokenOf(token),
      ...input,
    });
  }

  connect(token?: Parameters<typeof connectSandbox>[1]): Promise<ConnectionAnswer> {
    return connectSandbox(this.app, token, { key: this.key });
  }

  change(name: string, input: object): Promise<ConnectionPayloadAnswer> {
    return changeConnection(this.app, name, input, { key: this.key });
  }

  changeUser(name: string, input: object): Promise<UserPayloadAnswer> {
    return changeUser(this.app, name, input, { key: this.key });
  }

  read(id: string): Promise<ConnectionAnswer | null> {
    return readConnection(this.app, id, { key: this.key });
  }

  call<Data = Record<string, unknown>>(query: string, variables: object = {}): Promise<GraphQLAnswer<Data>> {
    return this.app.call<Data>(query, variables, { key: this.key });
  }

  /** The cheapest call that reaches Slack. */
  readUsers(id: string): Promise<GraphQLAnswer<{ connection: { users: { totalCount: number } } | null }>> {
    return this.call('query ($id: ID!) { connection(id: $id) { users(first: 1) { totalCount } } }', { id });
  }

  async countConnections(): Promise<number> {
    const { data } = await this.call<{ connections: { totalCount: number } }>('{ connections { totalCount } }');
    return data?.connections.totalCount ?? -1;
  }

  deleteConnection(id: string): Promise<DeletedPayloadAnswer> {
    return mutate(this.app, 'deleteConnection', 'ConnectionIdInput', 'deletedId', { id }, { key: this.key });
  }

  tokenOf(name: string): string {
    const tokens: Readonly<Record<string, string>> = this.app.simulator.tokens;
    return tokens[name] ?? name;
  }
}
