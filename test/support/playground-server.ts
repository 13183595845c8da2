import { join } from 'node:path';
import { ApolloServer } from '@apollo/server';
import fastify, { type FastifyInstance } from 'fastify';
import { buildSchema, graphql } from 'graphql';
import { registerPlayground } from '../../src/http/playground.route';

/** Folder that `npm run build` writes the playground to. */
export const playgroundRoot = join(__dirname, '../../dist/playground');

export const goodKey = 'test-key-of-the-playground';
/** For whom the schema is hidden, as Apollo does it when introspection is switched off. */
export const keyWithoutSchema = 'test-key-without-the-schema';

const schema = buildSchema(`
  "What the playground asks for."
  type Query { "The key that asks." viewer: Viewer! }
  type Viewer { name: String! permissions: [Permission!]! tenant: Tenant! }
  type Tenant { id: ID! name: String! }
  enum Permission { CONNECTIONS_READ USERS_READ ADMIN }
`);
const rootValue = {
  viewer: { name: 'first admin key', permissions: ['ADMIN', 'USERS_READ'], tenant: { id: 'T1', name: 'Default' } },
};

export interface PlaygroundServer {
  app: FastifyInstance;
  /** Such as http://127.0.0.1:40123, without a slash at the end. */
  origin: string;
  /** What came to /graphql so far, oldest first. */
  requests: { operationName: string | null; authorization: string | undefined; contentType: string | undefined }[];
}

/** The playground in front of a GraphQL server that knows one key and one query. */
export async function startPlaygroundServer({ root = playgroundRoot } = {}): Promise<PlaygroundServer> {
  const app = fastify();
  const requests: PlaygroundServer['requests'] = [];
  const closed = new ApolloServer({ schema, rootValue, introspection: false });
  await registerPlayground(app, { root });

  app.post<{ Body: { query: string; operationName?: string } }>('/graphql', async ({ headers, body }, reply) => {
    const { authorization, 'content-type': contentType } = headers;
    requests.push({ operationName: body.operationName ?? null, authorization, contentType });
    if (authorization === `Bearer ${keyWithoutSchema}`) {
      const answer = await closed.executeOperation({ query: body.query, operationName: body.operationName });
      if (answer.body.kind !== 'single') throw new Error('Nothing here is answered in parts');
      return reply.code(answer.http.status ?? 200).send(answer.body.singleResult);
    }
    if (authorization !== `Bearer ${goodKey}`) {
      return { errors: [{ message: 'This API key is not known.', extensions: { code: 'UNAUTHENTICATED' } }] };
    }
    return graphql({ schema, source: body.query, rootValue, operationName: body.operationName });
  });
  const origin = await app.listen({ host: '127.0.0.1', port: 0 });
  return { app, origin, requests };
}
