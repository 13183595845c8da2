/** Slack's handles have at most 21 characters. */
export const LONGEST_USER_NAME = 21;

/**
 * The user name that Slack would make of a text: the part before an `@`, lower case, every character but letters, digits,
 * `.`, `_` and `-` replaced by `_`. Slack refuses longer names than 21 characters, so the result is cut there.
 * @returns '' when nothing is left to make a name of.
 */
export function deriveUserName(emailOrName: string): string {
  const [localPart = ''] = emailOrName.trim().split('@');
  return normalizeUserName(localPart).slice(0, LONGEST_USER_NAME);
}

/** As Slack stores a name it was given, except that nothing is cut off: over-long names are refused there. */
export function normalizeUserName(userName: string): string {
  const [localPart = ''] = userName.trim().split('@');
  return localPart.toLowerCase().replace(/[^a-z0-9._-]/g, '_');
}
