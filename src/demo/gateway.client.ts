/** What the demo reads of any mutation's payload. */
export interface DemoPayload {
  readonly connection?: { readonly id: string; readonly status: string; readonly issues?: readonly { code: string }[] };
  readonly user?: {
    readonly slackId: string;
    readonly userName: string;
    readonly active: boolean;
    readonly title?: string;
  };
  readonly outcome?: string;
  readonly problems: readonly { readonly code: string; readonly message: string; readonly remedy?: string }[];
}

export interface DemoLinkPayload {
  readonly link: { readonly url: string; readonly install: { readonly id: string } };
}

const problemFields = 'problems { code message remedy }';

/** Speaks to the gateway as a partner would: GraphQL over HTTP with an API key. */
export class GatewayClient {
  constructor(
    private readonly url: string,
    private readonly key: string,
  ) {}

  connectionMutation(name: string, inputType: string, input: object): Promise<DemoPayload> {
    return this.mutate(name, inputType, `connection { id status issues { code } } ${problemFields}`, input);
  }

  userMutation(name: string, inputType: string, input: object): Promise<DemoPayload> {
    return this.mutate(name, inputType, `user { slackId userName active title } outcome ${problemFields}`, input);
  }

  async createConnectLink(input: object): Promise<DemoLinkPayload> {
    const selection = `link { url install { id } } ${problemFields}`;
    const query = `mutation ($input: CreateConnectLinkInput!) { createConnectLink(input: $input) { ${selection} } }`;
    const data = await this.query<{ createConnectLink: DemoLinkPayload }>(query, { input });
    return data.createConnectLink;
  }

  async query<Data>(query: string, variables: object): Promise<Data> {
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.key}` },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data?: Data; errors?: { message: string }[] };
    if (!data) throw new Error(`The gateway answered: ${errors?.map(({ message }) => message).join('; ')}`);
    return data;
  }

  private async mutate(name: string, inputType: string, selection: string, input: object): Promise<DemoPayload> {
    const query = `mutation ($input: ${inputType}!) { ${name}(input: $input) { ${selection} } }`;
    const data = await this.query<Record<string, DemoPayload>>(query, { input });
    const payload = data[name];
    if (!payload) throw new Error(`${name} was not answered`);
    return payload;
  }
}
