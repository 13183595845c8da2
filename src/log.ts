import { type DestinationStream, pino } from 'pino';
import type { LogLevel } from './config';
import type { Logger } from './shared/logger';
import { requestContext } from './shared/request-context';

const DEEPEST_CAUSE = 5;

/**
 * Structured logs, one JSON object a line. They go to standard error, so that what the process says to a person on
 * standard output (an admin key at the first start, the sandbox's tokens) is never in them.
 */
export function createLogger(level: LogLevel, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      mixin: () => requestContext.getStore() ?? {},
      serializers: { err: (error: unknown) => describeError(error) },
    },
    destination ?? pino.destination({ dest: 2, sync: true }),
  );
}

/**
 * Only these parts of an error are logged. Database and HTTP errors carry bound values, statements, headers and bodies
 * in further fields, and any of those can hold a token.
 */
function describeError(error: unknown, depth = 0): object {
  if (!(error instanceof Error)) return { message: 'something that is not an Error was thrown' };
  const { name, message, stack, cause } = error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return {
    name,
    message,
    code,
    stack: depth === 0 ? stack : undefined,
    cause: cause !== undefined && depth < DEEPEST_CAUSE ? describeError(cause, depth + 1) : undefined,
  };
}
