import type { HttpAnswer } from './transport';
import { flagIn, isHtml, isObject, parseJson, textIn, type WireObject } from './wire';

/** An envelope with `ok`, and the headers beside it. */
export interface WebApiAnswer {
  /** Empty when the answer was no JSON object. */
  readonly body: WireObject;
  readonly status: number;
  readonly header: (name: string) => string | undefined;
}

export function envelopeOf(answer: HttpAnswer): WebApiAnswer {
  const html = isHtml(answer.header('content-type'), answer.text);
  const body = html ? undefined : parseJson(answer.text);
  return { body: isObject(body) ? body : {}, status: answer.status, header: answer.header };
}

export function saysRateLimited(answer: WebApiAnswer): boolean {
  return answer.status === 429 || textIn(answer.body, 'error') === 'ratelimited';
}

/** @returns undefined when Slack agreed; `unknown` when it refused without a word. */
export function refusalCode(body: WireObject): string | undefined {
  if (flagIn(body, 'ok') === true) return undefined;
  return /^[A-Za-z_]+/.exec(textIn(body, 'error') ?? '')?.[0] ?? 'unknown';
}

/** `identify` comes along without being asked for, and allows nothing. */
export function scopeList(text: string): string[] {
  return text
    .split(',')
    .map((scope) => scope.trim())
    .filter((scope) => scope !== '' && scope !== 'identify');
}
