import type { Fetcher } from '@graphiql/toolkit';
import { askGateway } from './gateway.client';

const introspectionOff =
  'This server does not show its schema: introspection is switched off, so there is no documentation and no completion. Operations run as usual.';

export interface FetcherOptions {
  /** Asked at each request, so that a key is in force from the moment it is entered. */
  currentKey: () => string;
  /** Told after each look at the schema: a sentence when there is none to see, else undefined. */
  onSchemaNotice: (notice: string | undefined) => void;
}

/** GraphiQL's way to the gateway. Its look at the schema comes through here too, and so carries the key. */
export function createFetcher({ currentKey, onSchemaNotice }: FetcherOptions): Fetcher {
  return async ({ query, operationName, variables }) => {
    const answer = await askGateway({ query, operationName, variables }, currentKey());
    if (operationName !== 'IntrospectionQuery') return answer;

    const refusal = answer.data?.__schema === undefined ? answer.errors?.[0]?.message : undefined;
    const notice = refusal === undefined ? undefined : explainRefusal(refusal);
    onSchemaNotice(notice);
    // Thrown, since GraphiQL shows an error's text in its panes, but a refusal as a raw answer.
    if (notice !== undefined) throw new Error(notice);
    return answer;
  };
}

/** There is no code for it: the server words a refused look at the schema like any operation that does not validate. */
function explainRefusal(message: string): string {
  return /introspection/i.test(message) ? introspectionOff : `The schema could not be read: ${message}`;
}
