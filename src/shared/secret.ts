import { inspect } from 'node:util';

const HIDDEN = '[secret]';

/**
 * Holds a secret string so that printing it by accident shows `[secret]`: as a string, in JSON, and in `util.inspect`.
 * The value lives in a private field, so spreading or serialising the object does not copy it either.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The plain value. Call it only where the value is sealed, hashed or put into an Authorization header. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }
}
