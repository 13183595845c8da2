import { ApolloServerErrorCode } from '@apollo/server/errors';
import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type FormattedExecutionResult,
  GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  NoSchemaIntrospectionCustomRule,
  OperationTypeNode,
  parse,
  specifiedRules,
  subscribe,
  validate,
} from 'graphql';
import { InvalidInput } from '../domain/errors';
import type { Logger } from '../shared/logger';
import type { GraphQLContext } from './context';
import { formatError } from './error-format';
import { assertSmallVariables, documentLimits, queryLimitsRule } from './query-limits';

export interface LiveRequest {
  readonly query: string;
  readonly operationName?: string | null;
  readonly variables?: Record<string, unknown> | null;
}

type Stream = AsyncIterableIterator<ExecutionResult>;

/**
 * Subscriptions, whatever way they come in: under the limits of /graphql, and with errors in the form of /graphql. Queries
 * and mutations are refused here. They would need all that /graphql does for them, from idempotent repeats to the wait
 * for running calls at a stop, and have a place where they get it.
 */
export class LiveOperations {
  constructor(
    private readonly schema: GraphQLSchema,
    private readonly options: { readonly introspection: boolean; readonly logger: Logger },
  ) {}

  /** @returns what to subscribe with, or why that is not possible. */
  prepare(
    { query, operationName, variables }: LiveRequest,
    contextValue: GraphQLContext,
  ): ExecutionArgs | readonly GraphQLError[] {
    try {
      const document = parse(query, { maxTokens: documentLimits.tokens });
      const errors = this.validate(document);
      if (errors.length > 0)
        return errors.map((error) => withCode(error, ApolloServerErrorCode.GRAPHQL_VALIDATION_FAILED));
      assertSubscription(document, operationName);
      assertSmallVariables(variables);
      return { schema: this.schema, document, operationName, variableValues: variables, contextValue };
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      return [withCode(error, ApolloServerErrorCode.GRAPHQL_PARSE_FAILED)];
    }
  }

  /** @returns a stream that ends with an answer that says why, where it ends by a failure; or errors instead of one. */
  async subscribe(args: ExecutionArgs): Promise<Stream | ExecutionResult> {
    try {
      const result = await subscribe(args);
      if (!(Symbol.asyncIterator in result)) return { errors: result.errors?.map(asRequestError) };
      return endingWithErrors(result);
    } catch (error) {
      return { errors: [asGraphQLError(error)] };
    }
  }

  formatResult({ errors, ...result }: ExecutionResult): FormattedExecutionResult {
    return errors ? { ...result, errors: this.format(errors) } : result;
  }

  format(errors: readonly GraphQLError[]): GraphQLFormattedError[] {
    return errors.slice(0, documentLimits.errors).map((error) => {
      const known = withCode(asGraphQLError(error), ApolloServerErrorCode.INTERNAL_SERVER_ERROR);
      return formatError(known.toJSON(), known, this.options.logger);
    });
  }

  private validate(document: DocumentNode): readonly GraphQLError[] {
    const ownRules = this.options.introspection
      ? [queryLimitsRule]
      : [queryLimitsRule, NoSchemaIntrospectionCustomRule];
    const bounds = { maxErrors: documentLimits.errors, hideSuggestions: true };
    return validate(this.schema, document, [...specifiedRules, ...ownRules], bounds);
  }
}

/** @throws GraphQLError */
function assertSubscription(document: DocumentNode, operationName: string | null | undefined): void {
  const operation = getOperationAST(document, operationName);
  if (operation?.operation === OperationTypeNode.SUBSCRIPTION) return;
  const refusal = operation
    ? new InvalidInput('Only subscriptions are served here.', { remedy: 'Send queries and mutations to /graphql.' })
    : new InvalidInput('The document does not say which of its operations to run.', {
        remedy: 'Send one operation, or name one of them as operationName.',
      });
  throw new GraphQLError(refusal.message, { originalError: refusal });
}

/** Variables that do not fit are the client's mistake; graphql-js does not tell them from defects. */
function asRequestError(error: GraphQLError): GraphQLError {
  const isOfVariables = error.nodes?.length === 1 && error.nodes[0]?.kind === Kind.VARIABLE_DEFINITION;
  const isOfAll = error.message.startsWith('Too many errors processing variables');
  return isOfVariables || isOfAll ? withCode(error, ApolloServerErrorCode.BAD_USER_INPUT) : error;
}

/** graphql-js takes an error with a `path` for one of its own and passes it on as it is; ours have one. */
function asGraphQLError(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return error;
  const originalError = error instanceof Error ? error : new Error('A subscription failed');
  return new GraphQLError(originalError.message, { originalError });
}

function withCode(error: GraphQLError, code: string): GraphQLError {
  if (error.extensions.code !== undefined) return error;
  const { message, nodes, source, positions, path, originalError, extensions } = error;
  return new GraphQLError(message, {
    nodes,
    source,
    positions,
    path,
    originalError,
    extensions: { ...extensions, code },
  });
}

/** A stream that fails would end without a word over one way in, and with the socket over the other. */
function endingWithErrors(stream: AsyncGenerator<ExecutionResult, void, void>): Stream {
  const end = async () => {
    await stream.return();
    return { done: true, value: undefined } as const;
  };
  let hasFailed = false;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      if (hasFailed) return end();
      try {
        const result = await stream.next();
        return result.done ? end() : result;
      } catch (error) {
        hasFailed = true;
        return { done: false, value: { errors: [asGraphQLError(error)] } };
      }
    },
    return: end,
    // Nobody throws into it; a way in takes it for a stream that it can end only when it has this as well.
    throw: end,
  };
}
