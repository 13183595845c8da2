/** A GraphQL request as it goes over the wire. */
export interface GatewayRequest {
  query: string;
  operationName?: string | null;
  variables?: unknown;
}

export interface GatewayError {
  message: string;
  extensions?: { code?: string };
}

/** A GraphQL answer. Shapes beyond this are the server's business and shown as they come. */
export interface GatewayAnswer {
  data?: Record<string, unknown> | null;
  errors?: readonly GatewayError[];
}

/** There was no GraphQL answer at all; `message` says so in words for a person. */
export class GatewayUnreachable extends Error {
  override readonly name = 'GatewayUnreachable';
}

/**
 * Sends one request to /graphql of the server that served this page.
 * @param key API key; '' sends none, so that the server's own refusal is what the person sees.
 * @throws GatewayUnreachable when the network fails or the answer is not JSON. The caller's abort comes through as it is.
 */
export async function askGateway(request: GatewayRequest, key: string, signal?: AbortSignal): Promise<GatewayAnswer> {
  const headers: Record<string, string> = {
    accept: 'application/graphql-response+json, application/json;q=0.9',
    'content-type': 'application/json',
  };
  if (key !== '') headers.authorization = `Bearer ${key}`;

  let response: Response;
  try {
    response = await fetch('/graphql', { method: 'POST', headers, body: JSON.stringify(request), signal });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new GatewayUnreachable('The gateway does not answer. Is the server running?', { cause });
  }
  try {
    return await response.json();
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new GatewayUnreachable(`The answer (HTTP ${response.status}) is not GraphQL. Is there a proxy in between?`, {
      cause,
    });
  }
}
