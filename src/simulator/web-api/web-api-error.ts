/** A refusal of the Web API: `{ ok: false, error: code }`, with HTTP 200 (OAuth §8, documented) unless a switch says other. */
export class WebApiError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, status = 200) {
    super(code);
    this.name = 'WebApiError';
    this.code = code;
    this.status = status;
  }
}
