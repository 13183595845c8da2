import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What no log and no file of a gateway may ever hold, by its form, so that tokens made during a test are found as well. */
const forms: Readonly<Record<string, RegExp>> = {
  'a Slack token': /xox[a-z](?:\.xox[a-z])?-(?:1-)?[A-Za-z0-9][A-Za-z0-9-]{15,}/,
  'an API key': /rk_[0-9a-f]{24}_[A-Za-z0-9_-]{43}/,
  'an Authorization header': /(?:Bearer|Basic) [A-Za-z0-9+/_.=-]{16,}/,
};

/** Files of the data folder that hold secrets by design: the key that seals, and the sandbox's own memory. */
const keepers = ['sealing.key', 'sandbox.json'];

/**
 * Looks through everything that a gateway wrote in its life, whatever the test was about.
 * @throws Error naming what was found and where, and not the secret.
 */
export async function assertNothingLeaked(
  logs: readonly string[],
  directory: string,
  secrets: readonly string[],
): Promise<void> {
  const texts = new Map([['the log', logs.join('')]]);
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || keepers.includes(entry.name)) continue;
    texts.set(entry.name, await readFile(join(entry.parentPath, entry.name), 'latin1'));
  }
  const found: string[] = [];
  for (const [place, text] of texts) {
    for (const [what, form] of Object.entries(forms)) {
      const at = text.search(form);
      if (at >= 0) found.push(`${what} in ${place}, after ${JSON.stringify(text.slice(Math.max(0, at - 80), at))}`);
    }
    for (const secret of secrets) {
      const at = text.indexOf(secret);
      if (at >= 0)
        found.push(`a secret of the app in ${place}, after ${JSON.stringify(text.slice(Math.max(0, at - 80), at))}`);
    }
  }
  if (found.length > 0) throw new Error(`Something leaked:\n${found.join('\n')}`);
}
