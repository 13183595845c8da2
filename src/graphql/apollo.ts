import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import { ApolloServerErrorCode } from '@apollo/server/errors';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { GraphQLError, type GraphQLFormattedError, type GraphQLSchema } from 'graphql';
import { AppError } from '../domain/errors';
import type { Logger } from '../shared/logger';
import type { GraphQLContext } from './context';
import { queryLimitsRule } from './query-limits';

export interface ApolloOptions {
  readonly schema: GraphQLSchema;
  readonly introspection: boolean;
  readonly logger: Logger;
  readonly plugins?: readonly ApolloServerPlugin<GraphQLContext>[];
}

const MOST_TOKENS = 1000;
/** Selections after fragments are spread; a full introspection query has about 200. */
const MOST_RECURSIVE_SELECTIONS = 5000;

/** Codes of errors whose message is about the document and not about a value; the others may repeat what was sent. */
const documentCodes: ReadonlySet<unknown> = new Set([
  ApolloServerErrorCode.GRAPHQL_PARSE_FAILED,
  ApolloServerErrorCode.PERSISTED_QUERY_NOT_FOUND,
  ApolloServerErrorCode.PERSISTED_QUERY_NOT_SUPPORTED,
  ApolloServerErrorCode.OPERATION_RESOLUTION_FAILURE,
]);

export function createApollo({
  schema,
  introspection,
  logger,
  plugins = [],
}: ApolloOptions): ApolloServer<GraphQLContext> {
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
    validationRules: [queryLimitsRule],
    logger: {
      debug: (message) => logger.debug({}, String(message)),
      info: (message) => logger.debug({}, String(message)),
      warn: (message) => logger.warn({}, String(message)),
      error: (message) => logger.error({}, String(message)),
    },
    formatError: (formatted, error) => formatError(formatted, error, logger),
    // Apollo's own landing page loads scripts from elsewhere; the playground is ours.
    plugins: [ApolloServerPluginLandingPageDisabled(), statusOfLegacyMediaType, requestIdOnErrors, ...plugins],
  });
}

/**
 * What a client sees of an error. Expected failures keep code, message and remedy; everything unexpected becomes one
 * sentence, and the log has the rest under the same request id.
 */
function formatError(formatted: GraphQLFormattedError, error: unknown, logger: Logger): GraphQLFormattedError {
  const { locations, path } = formatted;
  const original = error instanceof GraphQLError ? (error.originalError ?? error) : error;
  if (original instanceof AppError) {
    const { code, message, remedy, retryable } = original;
    return { message, locations, path, extensions: { code, remedy, retryable, problemPath: original.path } };
  }
  const code = formatted.extensions?.code;
  if (code === ApolloServerErrorCode.INTERNAL_SERVER_ERROR) {
    logger.error({ err: original }, 'a request met a defect');
    return { message: 'Internal error', locations, path, extensions: { code: 'INTERNAL' } };
  }
  const message = documentCodes.has(code) ? formatted.message : withoutValues(formatted.message);
  return { message, locations, path, extensions: { code } };
}

/**
 * graphql-js repeats variables and literals: `Variable "$input" got invalid value "xoxp-…" at "input.token"; …`. What
 * is quoted after "got invalid value", "cannot represent …:" or as a literal must not come back, since it may be a token.
 */
export function withoutValues(message: string): string {
  return message
    .replace(/got invalid value [\s\S]*?( at "[^"]*")?; /, 'got an invalid value$1; ')
    .replace(
      /((?:cannot represent|Expected value of type "[^"]*", found)[^:]*?)(?::)? (?:"[\s\S]*"|\{[\s\S]*\}|\[[\s\S]*\]|[^\s"]+)(\.?)$/,
      '$1$2',
    )
    .replace(/Value "[\s\S]*" does not exist/, 'The value does not exist');
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

const requestIdOnErrors: ApolloServerPlugin<GraphQLContext> = {
  async requestDidStart() {
    return {
      async willSendResponse({ response, contextValue }) {
        if (response.body.kind !== 'single' || !response.body.singleResult.errors) return;
        const { singleResult } = response.body;
        const errors = singleResult.errors ?? [];
        response.body = {
          kind: 'single',
          singleResult: {
            ...singleResult,
            errors: errors.map((error) => ({
              ...error,
              extensions: { ...error.extensions, requestId: contextValue.requestId },
            })),
          },
        };
        if (errors.length > 0 && errors.every(({ extensions }) => extensions?.code === 'UNAUTHENTICATED')) {
          response.http.status = 401;
        }
      },
    };
  },
};
