import { EntitySchema } from 'typeorm';
import { instant, optional, ownedBy, primary, text } from './columns';

export interface InstallAttemptRow {
  id: string;
  installId: string;
  /** Hex. */
  stateHash: string;
  /** Hex. */
  browserHash: string;
  level: string;
  createdAt: Date;
  expiresAt: Date;
  consumedAt: Date | null;
  finishedAt: Date | null;
  outcome: string | null;
  /** JSON. */
  problem: string | null;
}

export const installAttemptEntity = new EntitySchema<InstallAttemptRow>({
  name: 'InstallAttempt',
  tableName: 'install_attempts',
  columns: {
    id: primary(text('id')),
    installId: ownedBy('Install', text('install_id')),
    stateHash: text('state_hash'),
    browserHash: text('browser_hash'),
    level: text('level'),
    createdAt: instant('created_at'),
    expiresAt: instant('expires_at'),
    consumedAt: optional(instant('consumed_at')),
    finishedAt: optional(instant('finished_at')),
    outcome: optional(text('outcome')),
    problem: optional(text('problem')),
  },
  indices: [
    { name: 'uq_install_attempts_state', columns: ['stateHash'], unique: true },
    { name: 'ix_install_attempts_install', columns: ['installId'] },
  ],
});
