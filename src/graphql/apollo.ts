import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { GraphQLError, type GraphQLSchema, OperationTypeNode } from 'graphql';
import { InvalidInput } from '../domain/errors';
import type { Logger } from '../shared/logger';
import type { GraphQLContext } from './context';
import { formatError } from './error-format';
import { assertSmallVariables, documentLimits, queryLimitsRule } from './query-limits';
import { upstreamExtension } from './upstream-extension';

const subscriptionsAreElsewhere =
  'Subscribe over WebSocket at /graphql (subprotocol graphql-transport-ws), or over server-sent events at /graphql/stream.';

export interface ApolloOptions {
  readonly schema: GraphQLSchema;
  readonly introspection: boolean;
  readonly logger: Logger;
}

/** Selections after fragments are spread; a full introspection query has about 200. */
const MOST_RECURSIVE_SELECTIONS = 5000;

export function createApollo({ schema, introspection, logger }: ApolloOptions): ApolloServer<GraphQLContext> {
  return new ApolloServer<GraphQLContext>({
    schema,
    introspection,
    includeStacktraceInErrorResponses: false,
    allowBatchedHttpRequests: false,
    csrfPrevention: true,
    cache: 'bounded',
    persistedQueries: false,
    stopOnTerminationSignals: false,
    hideSchemaDetailsFromClientErrors: true,
    maxRecursiveSelections: MOST_RECURSIVE_SELECTIONS,
    parseOptions: { maxTokens: documentLimits.tokens },
    validationOptions: { maxErrors: documentLimits.errors, hideSuggestions: true },
    validationRules: [queryLimitsRule],
    logger: {
      debug: (message) => logger.debug({}, String(message)),
      info: (message) => logger.debug({}, String(message)),
      warn: (message) => logger.warn({}, String(message)),
      error: (message) => logger.error({}, String(message)),
    },
    formatError: (formatted, error) => formatError(formatted, error, logger),
    // Apollo's own landing page loads scripts from elsewhere; the playground is ours.
    plugins: [
      ApolloServerPluginLandingPageDisabled(),
      statusOfLegacyMediaType,
      statusOfMissingKey,
      boundedVariables,
      noSubscriptions,
      upstreamExtension,
    ],
  });
}

/**
 * GraphQL over HTTP: with the media type application/json an answer is 200 even for errors of the document, because
 * older clients cannot tell another status from a broken gateway; with application/graphql-response+json it stays 400.
 */
const statusOfLegacyMediaType: ApolloServerPlugin<GraphQLContext> = {
  async requestDidStart() {
    return {
      async willSendResponse({ response, request }) {
        const accepts = request.http?.headers.get('accept') ?? '';
        if (accepts.includes('application/graphql-response+json')) return;
        if (response.http.status === 400 && response.body.kind === 'single') response.http.status = 200;
      },
    };
  },
};

/** A request that failed for want of a key alone is 401, whatever else it asked for. */
const statusOfMissingKey: ApolloServerPlugin<GraphQLContext> = {
  async requestDidStart() {
    return {
      async willSendResponse({ response }) {
        if (response.body.kind !== 'single') return;
        const { errors = [] } = response.body.singleResult;
        if (errors.length > 0 && errors.every(({ extensions }) => extensions?.code === 'UNAUTHENTICATED')) {
          response.http.status = 401;
        }
      },
    };
  },
};

/** Of a list of errors about variables, too, the first few are enough. */
const boundedVariables: ApolloServerPlugin<GraphQLContext> = {
  async requestDidStart() {
    return {
      async didResolveOperation({ request }) {
        assertSmallVariables(request.variables);
      },
      async willSendResponse({ response }) {
        if (response.body.kind !== 'single') return;
        const { singleResult } = response.body;
        if (singleResult.errors && !('data' in singleResult))
          singleResult.errors = singleResult.errors.slice(0, documentLimits.errors);
      },
    };
  },
};

/** One answer cannot hold a subscription; executed like a query it would fail as if it were a defect. */
const noSubscriptions: ApolloServerPlugin<GraphQLContext> = {
  async requestDidStart() {
    return {
      async didResolveOperation({ operation }) {
        if (operation?.operation !== OperationTypeNode.SUBSCRIPTION) return;
        const refusal = new InvalidInput('A subscription needs a connection that stays open.', {
          remedy: subscriptionsAreElsewhere,
        });
        throw new GraphQLError(refusal.message, { originalError: refusal, extensions: { http: { status: 400 } } });
      },
    };
  },
};
