import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import { ApolloServerErrorCode } from '@apollo/server/errors';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { GraphQLError, type GraphQLFormattedError, type GraphQLSchema } from 'graphql';
import { AppError } from '../domain/errors';
import type { Logger } from '../shared/logger';
import { requestContext } from '../shared/request-context';
import type { GraphQLContext } from './context';
import { withoutValues } from './error-text';
import { holdsLargeObject, queryLimits, queryLimitsRule } from './query-limits';

export interface ApolloOptions {
  readonly schema: GraphQLSchema;
  readonly introspection: boolean;
  readonly logger: Logger;
}

const MOST_TOKENS = 1000;
const MOST_ERRORS = 5;
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
    parseOptions: { maxTokens: MOST_TOKENS },
    validationOptions: { maxErrors: MOST_ERRORS, hideSuggestions: true },
    validationRules: [queryLimitsRule],
    logger: {
      debug: (message) => logger.debug({}, String(message)),
      info: (message) => logger.debug({}, String(message)),
      warn: (message) => logger.warn({}, String(message)),
      error: (message) => logger.error({}, String(message)),
    },
    formatError: (formatted, error) => formatError(formatted, error, logger),
    // Apollo's own landing page loads scripts from elsewhere; the playground is ours.
    plugins: [ApolloServerPluginLandingPageDisabled(), statusOfLegacyMediaType, statusOfMissingKey, boundedVariables],
  });
}

/**
 * What a client sees of an error. Expected failures keep code, message and remedy; everything unexpected becomes one
 * sentence, and the log has the rest under the same request id.
 */
function formatError(formatted: GraphQLFormattedError, error: unknown, logger: Logger): GraphQLFormattedError {
  const { locations, path } = formatted;
  const { requestId } = requestContext.getStore() ?? {};
  const original = error instanceof GraphQLError ? (error.originalError ?? error) : error;
  if (original instanceof AppError) {
    const { code, message, remedy, retryable } = original;
    return { message, locations, path, extensions: { code, remedy, retryable, problemPath: original.path, requestId } };
  }
  const text = error instanceof GraphQLError ? withoutValues(error) : 'The request is not acceptable.';
  const isTooManyErrors = formatted.message.startsWith('Too many errors processing variables');
  const code = isTooManyErrors ? ApolloServerErrorCode.BAD_USER_INPUT : formatted.extensions?.code;
  if (code === ApolloServerErrorCode.INTERNAL_SERVER_ERROR) {
    const cause = original instanceof GraphQLError ? { problem: withoutValues(original) } : { err: original };
    logger.error(cause, 'a request met a defect');
    return { message: 'Internal error', locations, path, extensions: { code: 'INTERNAL', requestId } };
  }
  return { message: text, locations, path, extensions: { code, requestId } };
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

/**
 * graphql-js prints the whole object for each field in it that it does not know, up to fifty times: twenty thousand keys
 * take it seconds. No input here has more than a few dozen fields. Of a list of errors the first few are enough.
 */
const boundedVariables: ApolloServerPlugin<GraphQLContext> = {
  async requestDidStart() {
    return {
      async didResolveOperation({ request }) {
        if (!holdsLargeObject(request.variables)) return;
        throw new GraphQLError(`An object in the variables has more than ${queryLimits.variableFields} fields.`, {
          extensions: { code: 'QUERY_TOO_LARGE', http: { status: 400 } },
        });
      },
      async willSendResponse({ response }) {
        if (response.body.kind !== 'single') return;
        const { singleResult } = response.body;
        if (singleResult.errors && !('data' in singleResult))
          singleResult.errors = singleResult.errors.slice(0, MOST_ERRORS);
      },
    };
  },
};
