import { QueryFailedError } from 'typeorm';
import { StorageUnavailable } from '../domain/errors';

/**
 * Why the database could not do something that it may do later.
 * `BUSY`: another process holds the SQLite file. `CONFLICT`: PostgreSQL gave up one of two colliding transactions.
 * `DISCONNECTED`: the connection is gone, and with it the open transaction. `TIMED_OUT`: no answer in time, so the
 * connection is given up. `CANCELED`: PostgreSQL itself ended a statement that took too long.
 * `EXHAUSTED`: no disk, memory or connections. `OUTCOME_UNKNOWN`: the connection went while a commit was under way.
 */
export type TransientKind =
  | 'BUSY'
  | 'CONFLICT'
  | 'DISCONNECTED'
  | 'TIMED_OUT'
  | 'CANCELED'
  | 'EXHAUSTED'
  | 'OUTCOME_UNKNOWN';

const messages: Record<TransientKind, string> = {
  BUSY: 'The database of the gateway is in use by another process.',
  CONFLICT: 'The database of the gateway is too busy with the same records.',
  DISCONNECTED: 'The database of the gateway cannot be reached.',
  TIMED_OUT: 'The database of the gateway did not answer in time.',
  CANCELED: 'The database of the gateway took too long.',
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

/**
 * The process cannot start with this database. The message tells where it is and why, and holds no password. For an
 * unforeseen reason it quotes the driver: statements of a start bind no token.
 */
export class DatabaseNotOpened extends Error {
  readonly driverCode: string;

  constructor(where: string, { code, message }: DriverFailure) {
    super(`${where} cannot be used: ${reasons[code] ?? message.split('\n')[0]} (${code}).`);
    this.name = 'DatabaseNotOpened';
    this.driverCode = code;
  }
}

const reasons: Record<string, string> = {
  EACCES: 'this user may not read or write it',
  EROFS: 'its file system is read-only',
  ENOSPC: 'the disk is full',
  SQLITE_CANTOPEN: 'this user may not read or write it',
  SQLITE_READONLY: 'this user may not write it',
  SQLITE_NOTADB: 'the file is not an SQLite database',
  SQLITE_CORRUPT: 'the file is damaged',
  SQLITE_BUSY: 'another process holds it',
  SQLITE_FULL: 'the disk is full',
  ECONNREFUSED: 'nobody listens at this address',
  ENOTFOUND: 'the name of the host is unknown',
  EAI_AGAIN: 'the name of the host cannot be looked up at the moment',
  '28P01': 'the user or the password is wrong',
  '28000': 'the server refuses this user',
  '3D000': 'there is no database of this name',
  '42501': 'the user may not change the tables',
  '53300': 'the server has no free connection',
  '57P03': 'the server is starting or stopping',
};

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
