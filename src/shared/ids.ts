import { randomBytes } from 'node:crypto';

/** 128 random bits in base64url behind a short prefix that tells a person what the id is for. */
export function newId<Id extends string>(prefix: string): Id {
  return `${prefix}_${randomBytes(16).toString('base64url')}` as Id;
}
