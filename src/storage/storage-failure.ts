import { QueryFailedError } from 'typeorm';
import { StorageUnavailable } from '../domain/errors';

/**
 * Why the database could not do something that it may do later.
 * `BUSY`: another process holds the SQLite file. `CONFLICT`: PostgreSQL gave up one of two colliding transactions.
 * `DISCONNECTED`: the connection is gone, and with it the open transaction. `TIMED_OUT`: no answer in time.
 * `EXHAUSTED`: no disk, memory or connections. `OUTCOME_UNKNOWN`: the connection went while a commit was under way.
 */
export type TransientKind = 'BUSY' | 'CONFLICT' | 'DISCONNECTED' | 'TIMED_OUT' | 'EXHAUSTED' | 'OUTCOME_UNKNOWN';

const messages: Record<TransientKind, string> = {
  BUSY: 'The database of the gateway is in use by another process.',
  CONFLICT: 'The database of the gateway is too busy with the same records.',
  DISCONNECTED: 'The database of the gateway cannot be reached.',
  TIMED_OUT: 'The database of the gateway did not answer in time.',
  EXHAUSTED: 'The database of the gateway has no room left.',
  OUTCOME_UNKNOWN: 'The database of the gateway went away before it confirmed the change.',
};

export class TransientFailure extends StorageUnavailable {
  constructor(
    readonly kind: TransientKind,
    /** SQLSTATE, SQLite's or Node's code, or UNKNOWN. */
    readonly driverCode: string,
  ) {
    super(messages[kind], {
      remedy: 'Try again in a few seconds. If it stays like this, look at the gateway’s database.',
    });
  }
}

/**
 * The database refused a statement for a reason that nobody expected. It carries the driver's code and nothing else of
 * the original error: that one prints the bound values, and PostgreSQL's detail line quotes the row.
 */
export class StorageFailure extends Error {
  constructor(readonly driverCode: string) {
    super(`The database refused a statement (${driverCode})`);
    this.name = 'StorageFailure';
  }
}

/** What may be read of a driver's error. None of it leaves this folder but `code`. */
export interface DriverFailure {
  readonly code: string;
  readonly message: string;
  readonly constraint: string;
}

export function driverFailureOf(error: unknown): DriverFailure {
  const source: unknown = error instanceof QueryFailedError ? error.driverError : error;
  return {
    code: textOf(source, 'code') || textOf(source, 'name') || 'UNKNOWN',
    message: textOf(source, 'message'),
    constraint: textOf(source, 'constraint'),
  };
}

function textOf(source: unknown, field: string): string {
  if (typeof source !== 'object' || source === null) return '';
  const value: unknown = Reflect.get(source, field);
  return typeof value === 'string' ? value : '';
}
