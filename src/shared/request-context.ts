import { AsyncLocalStorage } from 'node:async_hooks';

/** Lets the logger name the request that a line belongs to, without every function passing it on. */
export const requestContext = new AsyncLocalStorage<{ readonly requestId: string }>();
