import { type Client, createClient, type ExecutionResult } from 'graphql-ws';
import { type GatewayRequest, GatewayUnreachable } from './gateway.client';

/** The gateway takes no key, or not this one, or not any more. */
const REFUSED = 4403;
/** As often as a gateway may be away for a moment; GraphiQL can begin again. */
const MOST_RETRIES = 3;

/**
 * Follows a subscription over a socket of its own, to the server that served this page, until somebody ends it.
 * @param key API key; '' sends none, so that the server's own refusal is what the person sees.
 */
export function followSubscription(request: GatewayRequest, key: string): AsyncIterableIterator<ExecutionResult> {
  const client = openClient(key);
  const { query, operationName, variables } = request;
  const answers = client.iterate({ query, operationName, variables: { ...(variables as object | undefined) } });
  const end = async () => {
    await answers.return?.();
    await client.dispose();
    return { done: true, value: undefined } as const;
  };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      try {
        const answer = await answers.next();
        // Errors as they come over the wire: GraphiQL shows them and does nothing else with them.
        return answer.done ? end() : { done: false, value: answer.value as ExecutionResult };
      } catch (cause) {
        await end();
        // An operation that was refused comes as the list of its errors.
        if (Array.isArray(cause)) return { done: false, value: { errors: cause } };
        throw explain(cause);
      }
    },
    return: end,
  };
}

function openClient(key: string): Client {
  const url = new URL('/graphql', window.location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return createClient({
    url: url.href,
    connectionParams: key === '' ? {} : { authorization: `Bearer ${key}` },
    retryAttempts: MOST_RETRIES,
    shouldRetry: (cause) => !(cause instanceof CloseEvent && cause.code === REFUSED),
  });
}

/** Sockets end with events, which GraphiQL would show as empty objects. */
function explain(cause: unknown): unknown {
  if (!(cause instanceof Event)) return cause;
  const isRefused = cause instanceof CloseEvent && cause.code === REFUSED;
  return new GatewayUnreachable(
    isRefused ? 'The gateway does not accept this API key.' : 'The connection to the gateway has ended.',
  );
}
