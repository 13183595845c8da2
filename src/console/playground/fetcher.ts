import type { Fetcher, FetcherOpts } from '@graphiql/toolkit';
import type { ExecutionResult } from 'graphql-ws';
import { askGateway } from './gateway.client';
import { followSubscription } from './subscription';

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
  return async ({ query, operationName, variables }, options) => {
    if (isSubscription(options, operationName)) {
      return followSubscription({ query, operationName, variables }, currentKey());
    }
    const answer = await askGateway({ query, operationName, variables }, currentKey());
    if (operationName !== 'IntrospectionQuery') return answer as ExecutionResult;

    const refusal = answer.data?.__schema === undefined ? answer.errors?.[0]?.message : undefined;
    const notice = refusal === undefined ? undefined : explainRefusal(refusal);
    onSchemaNotice(notice);
    // Thrown, since GraphiQL shows an error's text in its panes, but a refusal as a raw answer.
    if (notice !== undefined) throw new Error(notice);
    return answer as ExecutionResult;
  };
}

/** There is no code for it: the server words a refused look at the schema like any operation that does not validate. */
function explainRefusal(message: string): string {
  return /introspection/i.test(message) ? introspectionOff : `The schema could not be read: ${message}`;
}

/** A document may hold several operations; GraphiQL says which one was chosen. */
function isSubscription(options: FetcherOpts | undefined, operationName: string | null | undefined): boolean {
  const operations = (options?.documentAST?.definitions ?? []).flatMap((definition) =>
    definition.kind === 'OperationDefinition' ? definition : [],
  );
  const chosen = operations.find(({ name }) => name?.value === operationName) ?? operations[0];
  return chosen?.operation === 'subscription';
}
