import fc from 'fast-check';
import { csvRows, jsonRows, type Row } from '../../../src/http/row-reader';

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

async function all(rows: AsyncIterable<Row>): Promise<Row[]> {
  const read: Row[] = [];
  for await (const row of rows) read.push(row);
  return read;
}

const csv = (text: string, size = 7) => all(csvRows(pieces(Buffer.from(text), size)));
const json = (text: string, size = 7) => all(jsonRows(pieces(Buffer.from(text), size)));

describe('a file of rows', () => {
  it('is read the same however it is cut into pieces', async () => {
    const value = fc
      .string({ unit: fc.constantFrom('a', 'ß', '漢', '😀', ',', '"', '\n', ' ', '\\') })
      .filter((text) => text !== '');
    const rows = fc.array(fc.record({ email: value, title: value }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(rows, fc.integer({ min: 1, max: 40 }), async (written, size) => {
        const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
        const lines = written.map(({ email, title }) => `${quoted(email)},${quoted(title)}`);
        expect(await csv(`email,title\r\n${lines.join('\r\n')}\r\n`, size)).toEqual(written);
        expect(await json(`${written.map((row) => JSON.stringify(row)).join('\n')}\n\n`, size)).toEqual(written);
      }),
      { numRuns: 60 },
    );
  });

  it('leaves empty fields of CSV out, and takes a byte order mark', async () => {
    expect(await csv('\ufeffemail,title\na@b.example,\n\n"",x')).toEqual([{ email: 'a@b.example' }, { title: 'x' }]);
  });

  it.each([
    ['a field too many', 'email\na,b', /Line 2 has 2 fields/],
    ['a quote in the middle', 'email\na"b"', /quote in the wrong place/],
    ['a quote that stays open', 'email\n"a', /ends within a quoted field/],
    ['a column named twice', 'email,email\na,b', /name each column once/],
    ['an endless line', `email\n${'a'.repeat(70_000)}`, /longer than/],
  ])('is refused as CSV with %s', async (_, text, message) => {
    await expect(csv(text, 1_000)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(message),
    });
  });

  it('is refused where a line is no object, or the bytes are no text', async () => {
    await expect(json('{"a":1}\n[1]')).rejects.toMatchObject({ message: 'Line 2 is not a JSON object.' });
    await expect(json('{"a":')).rejects.toMatchObject({ message: 'Line 1 is not a JSON object.' });
    await expect(all(jsonRows(pieces(Buffer.from([0x7b, 0xff, 0x7d]), 1)))).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
  });
});
