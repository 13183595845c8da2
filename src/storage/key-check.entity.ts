import { EntitySchema } from 'typeorm';
import { instant, primary, text } from './columns';

export interface KeyCheckRow {
  keyId: string;
  sealedCanary: string;
  createdAt: Date;
}

/** One row a sealing key that was ever the newest: opening it tells whether the configured keys are the right ones. */
export const keyCheckEntity = new EntitySchema<KeyCheckRow>({
  name: 'KeyCheck',
  tableName: 'key_check',
  columns: {
    keyId: primary(text('key_id')),
    sealedCanary: text('sealed_canary'),
    createdAt: instant('created_at'),
  },
});
