import { spawn } from 'node:child_process';
import type { Secret } from '../shared/secret';
import { SEALING_KEY_BYTES, type SealingKeys } from './cipher';
import { type KeyProvider, rollingProcedure } from './key-provider';

export interface KeyCommand {
  /** The program and its arguments. No shell reads them. */
  readonly words: readonly string[];
  /** How long it may take for one key. */
  readonly timeoutMs: number;
}

/** The command did not give a key. The message tells which key and how it ended, and nothing of what it read or wrote. */
export class KeyCommandFailed extends Error {
  constructor(which: string, how: string) {
    super(
      `The command of ROLLCALL_SEALING_KEY_COMMAND gave no key for ${which}: ${how}. Run it by hand with that wrapped key as its input: it must print ${SEALING_KEY_BYTES} bytes in base64, and nothing else.`,
    );
    this.name = 'KeyCommandFailed';
  }
}

/** Room for a key in base64 with line ends; what prints more prints something else. */
const LONGEST_OUTPUT = 256;
const keyPattern = /^[A-Za-z0-9+/_-]{43}=?$/;

/**
 * Keys that are stored wrapped, by a key that stays in a key management service: its command-line client unwraps each
 * once at the start. It gets the wrapped key on its standard input, and prints the key in base64. For example:
 * Vault: `vault write -field=plaintext transit/decrypt/<key> ciphertext=-`
 * AWS: `sh -c 'base64 -d | aws kms decrypt --ciphertext-blob fileb:///dev/stdin --query Plaintext --output text'`
 * Google Cloud: `sh -c 'base64 -d | gcloud kms decrypt <key> --ciphertext-file=- --plaintext-file=- | base64'`
 * @param wrapped newest first
 */
export function commandKeys(wrapped: readonly Secret[], command: KeyCommand): KeyProvider {
  return {
    procedure: rollingProcedure('wrapped keys'),
    async loadKeys(): Promise<SealingKeys> {
      const keys: Buffer[] = [];
      for (const [index, key] of wrapped.entries()) {
        const which = `the wrapped key ${index + 1} of ${wrapped.length}`;
        const unwrapped = await unwrap(key, command, which);
        if (keys.some((other) => other.equals(unwrapped))) {
          throw new KeyCommandFailed(which, 'it printed the same key as for an earlier one');
        }
        keys.push(unwrapped);
      }
      return keys;
    },
  };
}

async function unwrap(wrapped: Secret, command: KeyCommand, which: string): Promise<Buffer> {
  const { output, failure } = await run(command, wrapped);
  if (failure !== undefined) throw new KeyCommandFailed(which, failure);
  const text = output.toString('latin1').trim();
  const key = Buffer.from(text, 'base64');
  if (!keyPattern.test(text) || key.length !== SEALING_KEY_BYTES) {
    throw new KeyCommandFailed(which, `it ended well, but did not print ${SEALING_KEY_BYTES} bytes in base64`);
  }
  return key;
}

/** Its standard error is not read: a client may print there what it was given. */
function run({ words, timeoutMs }: KeyCommand, input: Secret): Promise<{ output: Buffer; failure?: string }> {
  const [program = '', ...args] = words;
  return new Promise((resolve) => {
    const child = spawn(program, args, { shell: false, stdio: ['pipe', 'pipe', 'ignore'], windowsHide: true });
    const chunks: Buffer[] = [];
    let size = 0;
    const end = (failure?: string) => {
      clearTimeout(timer);
      if (failure !== undefined) child.kill('SIGKILL');
      // What the program has started may hold the pipes open when it is gone itself.
      child.stdout.destroy();
      child.stdin.destroy();
      resolve({ output: Buffer.concat(chunks), failure });
    };
    const timer = setTimeout(() => end(`it did not end within ${timeoutMs} ms`), timeoutMs);
    child.once('error', (error) => end(`it cannot be started (${'code' in error ? String(error.code) : error.name})`));
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > LONGEST_OUTPUT) end('it printed more than a key');
      else chunks.push(chunk);
    });
    child.once('close', (code, signal) => {
      end(code === 0 ? undefined : code === null ? `${signal} ended it` : `it ended with exit code ${code}`);
    });
    // A program that ends without reading its input breaks the pipe; its exit code tells more.
    child.stdin.on('error', () => {});
    child.stdin.end(input.reveal());
  });
}
