import type { EntitySchemaColumnOptions, ValueTransformer } from 'typeorm';
import { StorageFailure } from './storage-failure';

/**
 * Column kinds that SQLite and PostgreSQL store alike. Instants are epoch milliseconds in a bigint: SQLite has no
 * timestamp type, and PostgreSQL's would come back with another precision. PostgreSQL's driver reads a bigint as text.
 */
const epochMilliseconds: ValueTransformer = {
  to: (value: Date | null | undefined) => value?.getTime() ?? value,
  from: (value: number | string | null | undefined) =>
    value === null || value === undefined ? null : new Date(Number(value)),
};

const jsonList: ValueTransformer = {
  to: (value: readonly string[] | undefined) => value && JSON.stringify(value),
  from: (value: string) => parseList(value),
};

export function text(name: string): EntitySchemaColumnOptions {
  return { name, type: 'text' };
}

export function integer(name: string): EntitySchemaColumnOptions {
  return { name, type: 'integer' };
}

export function flag(name: string): EntitySchemaColumnOptions {
  return { name, type: 'boolean' };
}

export function instant(name: string): EntitySchemaColumnOptions {
  return { name, type: 'bigint', transformer: epochMilliseconds };
}

export function textList(name: string): EntitySchemaColumnOptions {
  return { name, type: 'text', transformer: jsonList };
}

export function withDefault(value: number, column: EntitySchemaColumnOptions): EntitySchemaColumnOptions {
  return { ...column, default: value };
}

export function optional(column: EntitySchemaColumnOptions): EntitySchemaColumnOptions {
  return { ...column, nullable: true };
}

export function primary(column: EntitySchemaColumnOptions): EntitySchemaColumnOptions {
  return { ...column, primary: true };
}

/** A column that names a row of another table and goes away with it. */
export function ownedBy(target: string, column: EntitySchemaColumnOptions): EntitySchemaColumnOptions {
  return { ...column, foreignKey: { target, onDelete: 'CASCADE' } };
}

/** @throws StorageFailure when the stored word is none of `words`: written by a newer release, or by hand. */
export function oneOf<Word extends string>(words: readonly Word[], stored: string): Word {
  const word = words.find((candidate) => candidate === stored);
  if (word === undefined) throw new StorageFailure('UNKNOWN_WORD');
  return word;
}

function parseList(json: string): string[] {
  const list: unknown = JSON.parse(json);
  if (!Array.isArray(list) || !list.every((item) => typeof item === 'string')) throw new StorageFailure('BAD_LIST');
  return list;
}
