import { inspect } from 'node:util';
import { QueryFailedError } from 'typeorm';
import { AppError } from '../../../src/domain/errors';
import { postgresDialect, sqliteDialect } from '../../../src/storage/dialect';
import { translated } from '../../../src/storage/store-handle';

const TOKEN = 'xoxp-very-secret';

function refused(fields: { code?: string; message: string; constraint?: string }) {
  const { message, ...rest } = fields;
  const driverError = Object.assign(new Error(message), rest, { detail: `Key (secret)=(${TOKEN}) exists` });
  return new QueryFailedError(`INSERT INTO t VALUES ('${TOKEN}')`, [TOKEN], driverError);
}

describe('an error of the database', () => {
  it.each([
    ['SQLite', sqliteDialect, { code: 'SQLITE_ERROR', message: `SQLITE_ERROR: near "${TOKEN}": syntax error` }],
    ['SQLite', sqliteDialect, { code: 'SQLITE_FULL', message: `SQLITE_FULL: database or disk is full ${TOKEN}` }],
    ['SQLite', sqliteDialect, { code: 'SQLITE_CONSTRAINT', message: `UNIQUE constraint failed: t.c ${TOKEN}` }],
    ['PostgreSQL', postgresDialect, { code: '23502', message: `null value in row (${TOKEN})` }],
    ['PostgreSQL', postgresDialect, { code: '23503', message: `violates foreign key (${TOKEN})` }],
    ['PostgreSQL', postgresDialect, { code: '22021', message: `invalid byte sequence ${TOKEN}` }],
    ['PostgreSQL', postgresDialect, { message: `Query read timeout ${TOKEN}` }],
  ])('of %s shows neither its values nor its statement, however it is printed (%#)', (_, dialect, fields) => {
    const error = translated(refused(fields), dialect);

    for (const printed of [
      String(error),
      error.stack,
      JSON.stringify(error),
      inspect(error, { depth: 9, showHidden: true }),
    ]) {
      expect(printed).not.toContain(TOKEN);
      expect(printed).not.toContain('INSERT');
    }
  });

  it.each([
    ['BUSY', sqliteDialect, 'SQLITE_BUSY', 'SQLITE_BUSY: database is locked'],
    ['EXHAUSTED', sqliteDialect, 'SQLITE_FULL', 'SQLITE_FULL: database or disk is full'],
    ['EXHAUSTED', sqliteDialect, 'SQLITE_IOERR', 'SQLITE_IOERR: disk I/O error'],
    ['CONFLICT', postgresDialect, '40001', 'could not serialize access'],
    ['CONFLICT', postgresDialect, '40P01', 'deadlock detected'],
    ['DISCONNECTED', postgresDialect, '57P01', 'terminating connection'],
    ['DISCONNECTED', postgresDialect, '08006', 'connection failure'],
    ['DISCONNECTED', postgresDialect, 'ECONNREFUSED', 'connect ECONNREFUSED'],
    ['DISCONNECTED', postgresDialect, undefined, 'Connection terminated unexpectedly'],
    ['CANCELED', postgresDialect, '57014', 'canceling statement due to statement timeout'],
    ['TIMED_OUT', postgresDialect, undefined, 'timeout exceeded when trying to connect'],
    ['EXHAUSTED', postgresDialect, '53100', 'could not extend file: No space left on device'],
    ['EXHAUSTED', postgresDialect, '53300', 'too many connections'],
  ])('that may pass is told as %s, retryable, with a remedy (%#)', (kind, dialect, code, message) => {
    const error = translated(refused({ code, message }), dialect);

    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({
      kind,
      code: 'INTERNAL',
      retryable: true,
      remedy: expect.stringContaining('Try again'),
    });
  });

  it('that nobody expects keeps its code and is not retryable', () => {
    const error = translated(refused({ code: '42P01', message: 'relation does not exist' }), postgresDialect);

    expect(error).toMatchObject({ name: 'StorageFailure', driverCode: '42P01' });
    expect(error).not.toBeInstanceOf(AppError);
  });

  it.each([
    [
      sqliteDialect,
      { message: 'UNIQUE constraint failed: connections.tenant_id, connections.external_id' },
      'connection.externalId',
    ],
    [
      sqliteDialect,
      { message: 'UNIQUE constraint failed: connections.tenant_id, connections.environment, connections.team_key' },
      'connection.team',
    ],
    [sqliteDialect, { message: 'UNIQUE constraint failed: connections.id' }, 'other'],
    [
      postgresDialect,
      { code: '23505', message: 'duplicate key', constraint: 'uq_connections_external_id' },
      'connection.externalId',
    ],
    [
      postgresDialect,
      { code: '23505', message: 'duplicate key', constraint: 'uq_connections_team' },
      'connection.team',
    ],
    [postgresDialect, { code: '23505', message: 'duplicate key', constraint: 'PK_1' }, 'other'],
  ])('names what must be unique (%#)', (dialect, fields, constraint) => {
    expect(translated(refused(fields), dialect)).toMatchObject({ name: 'UniqueViolation', constraint });
  });
});
