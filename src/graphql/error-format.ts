import { ApolloServerErrorCode } from '@apollo/server/errors';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { AppError } from '../domain/errors';
import type { Logger } from '../shared/logger';
import { requestContext } from '../shared/request-context';
import { withoutValues } from './error-text';

/**
 * What a client sees of an error. Expected failures keep code, message and remedy; everything unexpected becomes one
 * sentence, and the log has the rest under the same request id.
 */
export function formatError(formatted: GraphQLFormattedError, error: unknown, logger: Logger): GraphQLFormattedError {
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
