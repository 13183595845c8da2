import { InvalidInput } from '../domain/errors';

/** One line of a file may be so long; beyond it the file is no list of people. */
const LONGEST_LINE = 64 * 1024;

export type Row = Readonly<Record<string, unknown>>;

/**
 * The lines of a text that arrives in pieces: no more than a piece and a line of it are held at once.
 * @throws InvalidInput
 */
export async function* linesOf(pieces: AsyncIterable<Buffer>): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decoded = (piece?: Buffer) => {
    try {
      return piece ? decoder.decode(piece, { stream: true }) : decoder.decode();
    } catch {
      throw new InvalidInput('The file is not UTF-8 text.');
    }
  };
  let rest = '';
  for await (const piece of pieces) {
    rest += decoded(piece);
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LONGEST_LINE) throw tooLong();
    yield* lines;
  }
  rest += decoded();
  if (rest !== '') yield rest;
}

/** JSON objects, one a line; blank lines are passed over. @throws InvalidInput */
export async function* jsonRows(pieces: AsyncIterable<Buffer>): AsyncGenerator<Row, void, void> {
  let number = 0;
  for await (const line of linesOf(pieces)) {
    number += 1;
    if (line.trim() === '') continue;
    let row: unknown;
    try {
      row = JSON.parse(line);
    } catch {
      row = undefined;
    }
    if (typeof row !== 'object' || row === null || Array.isArray(row)) {
      throw new InvalidInput(`Line ${number} is not a JSON object.`, { remedy: 'Send one JSON object a line.' });
    }
    yield row as Row;
  }
}

/**
 * Rows of a CSV file after RFC 4180, named by its first line. Fields in quotes may hold commas, quotes (doubled) and line
 * breaks; an empty field is left out. @throws InvalidInput
 */
export async function* csvRows(pieces: AsyncIterable<Buffer>): AsyncGenerator<Row, void, void> {
  let names: readonly string[] | undefined;
  let record = '';
  let number = 0;
  for await (const line of linesOf(pieces)) {
    number += 1;
    record = record === '' ? line : `${record}\n${line}`;
    if (record.length > LONGEST_LINE) throw tooLong();
    // Within an open quote the record goes on.
    if (((record.match(/"/g)?.length ?? 0) & 1) === 1) continue;
    const fields = fieldsOf(record.replace(/\r$/, ''), number);
    record = '';
    if (fields.length === 1 && fields[0] === '') continue;
    if (!names) {
      names = headerOf(fields);
      continue;
    }
    if (fields.length !== names.length) {
      throw new InvalidInput(`Line ${number} has ${fields.length} fields; the first line names ${names.length}.`);
    }
    yield Object.fromEntries(names.flatMap((name, index) => (fields[index] ? [[name, fields[index]]] : [])));
  }
  if (record !== '') throw new InvalidInput('The file ends within a quoted field.');
}

function headerOf(fields: readonly string[]): string[] {
  const names = fields.map((field) => field.replace(/^\ufeff/, '').trim());
  if (names.some((name) => name === '') || new Set(names).size < names.length) {
    throw new InvalidInput('The first line must name each column once.');
  }
  return names;
}

const fieldPattern = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;

function fieldsOf(record: string, number: number): string[] {
  const fields: string[] = [];
  fieldPattern.lastIndex = 0;
  for (;;) {
    const match = fieldPattern.exec(record);
    if (!match) throw new InvalidInput(`Line ${number} has a quote in the wrong place.`);
    const [, quoted, plain, end] = match;
    fields.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'));
    if (end === '') return fields;
  }
}

function tooLong(): InvalidInput {
  return new InvalidInput(`A line is longer than ${LONGEST_LINE} characters.`);
}
