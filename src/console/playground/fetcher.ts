import type { Fetcher } from '@graphiql/toolkit';
import { askGateway } from './gateway.client';

export const introspectionOff =
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

    const isRefused = answer.data?.__schema === undefined && (answer.errors?.length ?? 0) > 0;
    onSchemaNotice(isRefused ? introspectionOff : undefined);
    // Thrown, since GraphiQL shows an error's text in its panes, but a refusal as a raw answer.
    if (isRefused) throw new Error(introspectionOff);
    return answer;
  };
}
