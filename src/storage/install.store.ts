import type { ApiKeyId, TenantId } from '../domain/access/access';
import { type ConnectionId, connectionEnvironments, installLevels } from '../domain/connections/connection';
import { errorCodes } from '../domain/errors';
import type { InstallStore } from '../domain/install-ports';
import {
  type AttemptOutcome,
  attemptOutcomes,
  type Install,
  type InstallAttempt,
  type InstallAttemptId,
  type InstallId,
  type InstallProblem,
  installWays,
  type StoredInstall,
} from '../domain/installs/install';
import { oneOf } from './columns';
import { type InstallRow, installEntity } from './install.entity';
import { type InstallAttemptRow, installAttemptEntity } from './install-attempt.entity';
import { StorageFailure } from './storage-failure';
import type { StoreHandle } from './store-handle';

export class TypeOrmInstallStore implements InstallStore {
  constructor(private readonly handle: StoreHandle) {}

  async insert(install: StoredInstall): Promise<void> {
    await this.handle.insert(installEntity, toRow(install));
  }

  async find(tenantId: TenantId, id: InstallId): Promise<Install | undefined> {
    const row = await this.handle.findOne(installEntity, { tenantId, id });
    return row ? toInstall(row) : undefined;
  }

  async findBySecret(secretHash: Buffer): Promise<StoredInstall | undefined> {
    const row = await this.handle.findOne(installEntity, { secretHash: secretHash.toString('hex') });
    return row ? { ...toInstall(row), secretHash: Buffer.from(row.secretHash, 'hex') } : undefined;
  }

  async findOwner({ installId }: InstallAttempt): Promise<Install | undefined> {
    const row = await this.handle.findOne(installEntity, { id: installId });
    return row ? toInstall(row) : undefined;
  }

  async complete(id: InstallId, connectionId: ConnectionId, at: Date): Promise<boolean> {
    const completed = await this.handle.update(
      installEntity,
      { completedAt: at, connectionId, problem: null },
      'id = :id AND completed_at IS NULL',
      { id },
    );
    return completed === 1;
  }

  async recordProblem(id: InstallId, problem: InstallProblem): Promise<void> {
    // A second tab that fails says nothing about an install that the first one completed.
    await this.handle.update(installEntity, { problem: problemJson(problem) }, 'id = :id AND completed_at IS NULL', {
      id,
    });
  }

  async insertAttempt(attempt: InstallAttempt): Promise<void> {
    await this.handle.insert(installAttemptEntity, toAttemptRow(attempt));
  }

  async findAttempt(stateHash: Buffer): Promise<InstallAttempt | undefined> {
    const row = await this.handle.findOne(installAttemptEntity, { stateHash: stateHash.toString('hex') });
    return row ? toAttempt(row) : undefined;
  }

  async findAttemptById(id: InstallAttemptId): Promise<InstallAttempt | undefined> {
    const row = await this.handle.findOne(installAttemptEntity, { id });
    return row ? toAttempt(row) : undefined;
  }

  async consumeAttempt(id: InstallAttemptId, at: Date): Promise<boolean> {
    const consumed = await this.handle.update(
      installAttemptEntity,
      { consumedAt: at },
      'id = :id AND consumed_at IS NULL',
      { id },
    );
    return consumed === 1;
  }

  async finishAttempt(
    id: InstallAttemptId,
    { outcome, problem, at }: { outcome: AttemptOutcome; problem?: InstallProblem; at: Date },
  ): Promise<void> {
    await this.handle.update(
      installAttemptEntity,
      { finishedAt: at, outcome, problem: problem ? problemJson(problem) : null },
      'id = :id',
      { id },
    );
  }

  deleteExpired(before: Date, limit: number): Promise<number> {
    return this.handle.delete(
      installEntity,
      'id IN (SELECT id FROM installs WHERE expires_at < :before LIMIT :limit)',
      { before: before.getTime(), limit },
    );
  }
}

function toRow(install: StoredInstall): InstallRow {
  return {
    id: install.id,
    tenantId: install.tenantId,
    apiKeyId: install.apiKeyId,
    ways: install.ways,
    name: install.name,
    externalId: install.externalId ?? null,
    environment: install.environment,
    level: install.level ?? null,
    returnUrl: install.returnUrl ?? null,
    connectionId: install.connectionId ?? null,
    problem: install.problem ? problemJson(install.problem) : null,
    secretHash: install.secretHash.toString('hex'),
    createdAt: install.createdAt,
    expiresAt: install.expiresAt,
    completedAt: install.completedAt ?? null,
  };
}

function toInstall(row: InstallRow): Install {
  return {
    id: row.id as InstallId,
    tenantId: row.tenantId as TenantId,
    apiKeyId: row.apiKeyId as ApiKeyId,
    ways: oneOf(installWays, row.ways),
    name: row.name,
    externalId: row.externalId ?? undefined,
    environment: oneOf(connectionEnvironments, row.environment),
    level: row.level === null ? undefined : oneOf(installLevels, row.level),
    returnUrl: row.returnUrl ?? undefined,
    connectionId: (row.connectionId ?? undefined) as ConnectionId | undefined,
    problem: row.problem === null ? undefined : parseProblem(row.problem),
    createdAt: row.createdAt,
    expiresAt: row.expiresAt,
    completedAt: row.completedAt ?? undefined,
  };
}

function toAttemptRow(attempt: InstallAttempt): InstallAttemptRow {
  return {
    id: attempt.id,
    installId: attempt.installId,
    stateHash: attempt.stateHash.toString('hex'),
    browserHash: attempt.browserHash.toString('hex'),
    level: attempt.level,
    createdAt: attempt.createdAt,
    expiresAt: attempt.expiresAt,
    consumedAt: attempt.consumedAt ?? null,
    finishedAt: attempt.finishedAt ?? null,
    outcome: attempt.outcome ?? null,
    problem: attempt.problem ? problemJson(attempt.problem) : null,
  };
}

function toAttempt(row: InstallAttemptRow): InstallAttempt {
  return {
    id: row.id as InstallAttemptId,
    installId: row.installId as InstallId,
    stateHash: Buffer.from(row.stateHash, 'hex'),
    browserHash: Buffer.from(row.browserHash, 'hex'),
    level: oneOf(installLevels, row.level),
    createdAt: row.createdAt,
    expiresAt: row.expiresAt,
    consumedAt: row.consumedAt ?? undefined,
    finishedAt: row.finishedAt ?? undefined,
    outcome: row.outcome === null ? undefined : oneOf(attemptOutcomes, row.outcome),
    problem: row.problem === null ? undefined : parseProblem(row.problem),
  };
}

/** Field by field, since an error may be handed in where its few words are meant. */
function problemJson({ code, message, remedy, detail, grantedLevel }: InstallProblem): string {
  return JSON.stringify({ code, message, remedy, detail, grantedLevel });
}

function parseProblem(json: string): InstallProblem {
  const problem: unknown = JSON.parse(json);
  if (typeof problem !== 'object' || problem === null) throw new StorageFailure('BAD_PROBLEM');
  const textOf = (field: string): string | undefined => {
    const value: unknown = Reflect.get(problem, field);
    return typeof value === 'string' ? value : undefined;
  };
  const grantedLevel = textOf('grantedLevel');
  return {
    code: oneOf(errorCodes, textOf('code') ?? ''),
    message: textOf('message') ?? '',
    remedy: textOf('remedy'),
    detail: textOf('detail'),
    grantedLevel: grantedLevel === undefined ? undefined : oneOf(installLevels, grantedLevel),
  };
}
