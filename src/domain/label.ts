import { InvalidInput } from './errors';

export interface LabelRules {
  /** What it is, with its article: "A connection's name". */
  readonly what: string;
  readonly longest: number;
  /** Path of the input field. */
  readonly path: readonly string[];
}

/** Slack's tokens and our own API keys, wherever they stand in a text. */
const secretForms = /(xox[a-z]-|xapp-|xwfp-)[\w.-]{10}|rk_[0-9a-f]{24}_/i;

/** Whether a text that is stored as it is holds something that must not be. */
export function holdsSecret(text: string): boolean {
  return secretForms.test(text);
}

/**
 * Checks a name or an id of the caller's, which is stored and shown as it is given. A token that was pasted into the wrong
 * field would be in the clear from then on, so it is refused.
 * @returns the text without blanks around it.
 * @throws InvalidInput
 */
export function parseLabel(text: string, { what, longest, path }: LabelRules): string {
  const trimmed = text.trim();
  if (trimmed.length === 0 || trimmed.length > longest) {
    throw new InvalidInput(`${what} has 1 to ${longest} characters.`, { path });
  }
  if (holdsSecret(trimmed)) {
    throw new InvalidInput(`${what} must not hold a token or a key, since it is stored and shown as it is.`, {
      path,
      remedy: 'Look whether two fields were mixed up.',
    });
  }
  return trimmed;
}
