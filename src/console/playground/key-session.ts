import { useEffect, useState } from 'react';
import { loadKey, saveKey } from './browser-storage';
import { askGateway, GatewayUnreachable } from './gateway.client';

/** The API key that asks, as the gateway describes it. */
export interface Viewer {
  name: string;
  tenantName: string;
  permissions: readonly string[];
}

export type KeyState =
  | { phase: 'empty' }
  | { phase: 'checking' }
  | { phase: 'accepted'; key: string; viewer: Viewer }
  | { phase: 'refused'; message: string };

/** Long enough to skip the half-typed keys, short enough to feel immediate after a paste. */
const typingPauseMs = 250;

const viewerRequest = {
  operationName: 'PlaygroundViewer',
  query: 'query PlaygroundViewer { viewer { name permissions tenant { name } } }',
};

/**
 * Holds the key of this browser tab and what the gateway says about it. The key is checked by itself, shortly after it
 * was last changed.
 */
export function useKeySession(): { key: string; setKey: (entered: string) => void; state: KeyState } {
  const [key, setStoredKey] = useState(loadKey);
  const [state, setState] = useState<KeyState>({ phase: key === '' ? 'empty' : 'checking' });

  useEffect(() => {
    if (key === '') {
      setState({ phase: 'empty' });
      return undefined;
    }
    setState({ phase: 'checking' });
    const abort = new AbortController();
    const timer = setTimeout(() => {
      void checkKey(key, abort.signal).then((next) => {
        if (!abort.signal.aborted) setState(next);
      });
    }, typingPauseMs);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [key]);

  const setKey = (entered: string) => {
    // People copy the whole header as readily as the key.
    const next = entered.trim().replace(/^Bearer\s+/i, '');
    saveKey(next);
    setStoredKey(next);
  };
  return { key, setKey, state };
}

/** Never rejects: whatever goes wrong is a state with a sentence. */
async function checkKey(key: string, signal: AbortSignal): Promise<KeyState> {
  // Anything else cannot be put into an HTTP header and would come out as a baffling network error.
  if (!/^[\x21-\x7e]+$/.test(key))
    return { phase: 'refused', message: 'This is no API key: it has odd characters in it.' };
  try {
    const { data, errors } = await askGateway(viewerRequest, key, signal);
    const viewer = readViewer(data?.viewer);
    if (viewer !== undefined) return { phase: 'accepted', key, viewer };
    return { phase: 'refused', message: errors?.[0]?.message ?? 'The gateway did not say who this key is.' };
  } catch (error) {
    return { phase: 'refused', message: error instanceof GatewayUnreachable ? error.message : String(error) };
  }
}

function readViewer(value: unknown): Viewer | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { name, permissions, tenant } = value as { name?: unknown; permissions?: unknown; tenant?: { name?: unknown } };
  return {
    name: typeof name === 'string' ? name : 'unnamed key',
    tenantName: typeof tenant?.name === 'string' ? tenant.name : 'no tenant',
    permissions: Array.isArray(permissions) ? permissions.map(String) : [],
  };
}
