import { createHash, createHmac } from 'node:crypto';

/** 32 bytes that follow from the seed and the label alone. */
export function derive(seed: string, label: string): Buffer {
  return createHmac('sha256', seed).update(label).digest();
}

/** Letters and digits, any number of them. */
export function deriveText(seed: string, label: string, length: number): string {
  let text = '';
  for (let block = 0; text.length < length; block += 1) {
    text += derive(seed, `${label}/${block}`).toString('base64url').replace(/[-_]/g, '');
  }
  return text.slice(0, length);
}

/** A number of 13 digits, as Slack uses them in tokens, codes and client ids. */
export function deriveNumber(seed: string, label: string): string {
  return String((derive(seed, label).readBigUInt64BE() % 9_000_000_000_000n) + 1_000_000_000_000n);
}

/** Capitals and digits, as in Slack's ids. */
export function deriveId(seed: string, label: string, length: number): string {
  return derive(seed, label).readBigUInt64BE().toString(36).toUpperCase().padStart(length, '0').slice(-length);
}

/** SHA-256 in base64url: how a secret is recognised without being kept. */
export function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}
