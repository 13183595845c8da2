import type { Storage as GraphiQLStorage } from '@graphiql/toolkit';

const keyName = 'rollcall:apiKey';

/** What GraphiQL keeps about the look of the page. Everything else it keeps may quote a token, and lives with the tab. */
const layoutNames = new Set(['theme', 'visiblePlugin', 'docExplorerFlex', 'editorFlex', 'secondaryEditorFlex']);

/** Shares that suit the examples better than GraphiQL's own: room for the variables that a person fills in. */
const layoutDefaults: Record<string, string> = { secondaryEditorFlex: '1.6', docExplorerFlex: '0.4' };

/** Slack tokens of every kind, so that one pasted into the variables is not written to the browser's storage. */
const slackToken = /\b(?:xox[a-z]|xapp)[.-][\w.-]{6,}/g;

/**
 * The browser may forbid storage altogether (private windows, blocked cookies); the page then works without memory.
 */
function open(area: 'localStorage' | 'sessionStorage'): Storage | undefined {
  try {
    return window[area];
  } catch {
    return undefined;
  }
}

/** @returns the API key of this browser tab, '' when there is none. It ends with the tab: never localStorage. */
export function loadKey(): string {
  return open('sessionStorage')?.getItem(keyName) ?? '';
}

export function saveKey(key: string): void {
  if (key === '') open('sessionStorage')?.removeItem(keyName);
  else open('sessionStorage')?.setItem(keyName, key);
}

/**
 * GraphiQL's memory, split in two: the layout outlives the tab, while documents, variables and history end with it and
 * hold no Slack token even so.
 */
export function createWorkspaceStorage(): GraphiQLStorage {
  const local = open('localStorage');
  const session = open('sessionStorage');
  const nameOf = (key: string) => key.slice(key.indexOf(':') + 1);
  const areaOf = (key: string) => (layoutNames.has(nameOf(key)) ? local : session);
  const keysOf = (area: Storage | undefined) => Object.keys(area ?? {}).filter((key) => key.startsWith('graphiql:'));

  return {
    getItem: (key) => areaOf(key)?.getItem(key) ?? layoutDefaults[nameOf(key)] ?? null,
    setItem: (key, value) => areaOf(key)?.setItem(key, value.replaceAll(slackToken, '<token>')),
    removeItem: (key) => areaOf(key)?.removeItem(key),
    clear() {
      for (const area of [local, session]) for (const key of keysOf(area)) area?.removeItem(key);
    },
    get length() {
      return keysOf(local).length + keysOf(session).length;
    },
  };
}
