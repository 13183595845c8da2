import { AsyncLocalStorage } from 'node:async_hooks';

export interface RequestContext {
  readonly requestId: string;
}

const storage = new AsyncLocalStorage<RequestContext>();
let entered = 0;

/**
 * Lets the logger name the request that a line belongs to, without every function passing it on. While a storage is in
 * use, Node.js before 24 does extra work for every promise of the process, so that bulk work would take a fifth longer:
 * it is switched off whenever no request is under way.
 */
export const requestContext = {
  getStore(): RequestContext | undefined {
    return storage.getStore();
  },

  async run<T>(context: RequestContext, work: () => Promise<T>): Promise<T> {
    const end = begin();
    try {
      return await storage.run(context, work);
    } finally {
      end();
    }
  },

  /** As run, for work whose end is told by calling what it returns, once. What of it goes on after that may lose its context. */
  enter(context: RequestContext, work: () => void): () => void {
    const end = begin();
    storage.run(context, work);
    return end;
  },
};

function begin(): () => void {
  entered += 1;
  return () => {
    entered -= 1;
    if (entered === 0) storage.disable();
  };
}
