/** A refusal of the Web API: `{ ok: false, error: code }` (OAuth §8, documented). */
export class WebApiError extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.name = 'WebApiError';
    this.code = code;
  }
}
