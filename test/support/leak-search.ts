/** Length of the shortest part of a secret that counts as a leak. */
const SLICE = 12;
/** What every token of a kind begins with, and a hint may show. */
const publicPrefix = /^(?:xoxe\.)?xox[a-z]-(?:1-)?/;

/**
 * Finds parts of secrets in any text: as they are, in base64 and base64url at each of the three alignments, in hex, and
 * escaped for addresses and for JSON.
 */
export class LeakSearch {
  readonly #slices = new Map<string, string>();

  constructor(secrets: Readonly<Record<string, string>>) {
    for (const [name, secret] of Object.entries(secrets)) {
      const hidden = secret.replace(publicPrefix, '');
      const bytes = Buffer.from(hidden);
      this.#add(`${name} as it is`, hidden);
      this.#add(`${name} for an address`, encodeURIComponent(hidden));
      this.#add(`${name} for JSON`, JSON.stringify(hidden).slice(1, -1));
      this.#add(`${name} in hex`, bytes.toString('hex'));
      this.#add(`${name} backwards`, [...hidden].reverse().join(''));
      for (const shift of [0, 1, 2]) {
        const shifted = Buffer.concat([Buffer.alloc(shift), bytes]);
        for (const encoding of ['base64', 'base64url'] as const) {
          // The first and the last four characters depend on what stands around.
          this.#add(`${name} in ${encoding}`, shifted.toString(encoding).slice(4, -4));
        }
      }
    }
  }

  /** @returns which secrets are in the text, and how; not the secrets. */
  in(text: string): string[] {
    const found = new Map<string, string>();
    for (let start = 0; start + SLICE <= text.length; start += 1) {
      const name = this.#slices.get(text.slice(start, start + SLICE));
      if (name !== undefined && !found.has(name)) found.set(name, text.slice(Math.max(0, start - 60), start));
    }
    return [...found].map(([name, before]) => `${name}, after ${JSON.stringify(before)}`);
  }

  #add(name: string, text: string): void {
    for (let start = 0; start + SLICE <= text.length; start += 1)
      this.#slices.set(text.slice(start, start + SLICE), name);
  }
}
