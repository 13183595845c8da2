import type { Caller } from '../domain/access/access';
import type { AppError } from '../domain/errors';
import type { GraphQLContext } from '../graphql/context';

/**
 * Looks at a key again and again while something is open with it.
 * @param onRefused called once, when the key is not valid any more. While the store does not answer nothing is known, and
 * nothing can be emitted either.
 * @returns a function that ends it.
 */
export function watchKey(
  authenticate: () => Promise<GraphQLContext['authentication']>,
  everyMs: number,
  onRefused: (error: AppError) => void,
): () => void {
  let isAsking = false;
  const ask = async () => {
    if (isAsking) return;
    isAsking = true;
    try {
      const authentication = await authenticate();
      if (isRefused(authentication)) onRefused(authentication.error);
    } catch {
      // The next look tells.
    } finally {
      isAsking = false;
    }
  };
  const timer = setInterval(() => void ask(), everyMs);
  return () => clearInterval(timer);
}

export function isRefused(
  authentication: { readonly caller: Caller } | { readonly error: AppError },
): authentication is { readonly error: AppError } {
  return 'error' in authentication && authentication.error.code === 'UNAUTHENTICATED';
}
