import type { Secret } from '../shared/secret';
import { commandKeys, type KeyCommand } from './key-command';
import { KeyFile } from './key-file';
import { givenKeys, type KeyProvider } from './key-provider';

export type KeySource =
  /** In base64, newest first. */
  | { readonly kind: 'keys'; readonly keys: readonly Secret[] }
  | { readonly kind: 'command'; readonly wrapped: readonly Secret[]; readonly command: KeyCommand }
  | { readonly kind: 'file'; readonly file: string };

export function keyProviderOf(source: KeySource): KeyProvider {
  switch (source.kind) {
    case 'keys':
      return givenKeys(source.keys.map((key) => Buffer.from(key.reveal(), 'base64')));
    case 'command':
      return commandKeys(source.wrapped, source.command);
    case 'file':
      return new KeyFile(source.file);
  }
}
