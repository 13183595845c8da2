/** An operation that is ready to run, as a tab of the playground shows it. */
export interface Example {
  /** File name, which also gives the order: '03-create-connection.graphql'. */
  fileName: string;
  /** Name of the operation, and so the title of its tab. */
  title: string;
  /** First sentence of the comment on top: what the operation does. */
  summary: string;
  /** The document without its variables block. */
  query: string;
  /** The example variables as indented JSON; '' when the operation takes none. */
  variables: string;
}

const variablesStart = '# variables:';
const variablesEnd = '# end variables';

/**
 * Reads one file of schema/operations. GraphQL documents cannot hold variables, so they stand in the leading comment,
 * from `# variables: {` to `# end variables`, as JSON.
 * @throws Error naming the file when the block does not end, is no JSON object, or no operation is named.
 */
export function parseExample(fileName: string, text: string): Example {
  const lines = text.replaceAll('\r\n', '\n').trimEnd().split('\n');
  const start = lines.findIndex((line) => line.startsWith(variablesStart));
  const end = lines.indexOf(variablesEnd);
  if (start >= 0 !== end >= 0 || end < start)
    throw new Error(`${fileName}: the variables block has no start or no end`);

  const block = start < 0 ? [] : lines.splice(start, end - start + 1).slice(0, -1);
  const query = `${lines.join('\n')}\n`;
  const title = /^(?:query|mutation|subscription)\s+(\w+)/m.exec(query)?.[1];
  if (title === undefined) throw new Error(`${fileName}: no named operation`);

  return { fileName, title, summary: firstSentence(lines), query, variables: formatVariables(fileName, block) };
}

function formatVariables(fileName: string, block: readonly string[]): string {
  if (block.length === 0) return '';
  const json = block.map((line) => line.replace(variablesStart, '').replace(/^#/, '')).join('\n');
  let variables: unknown;
  try {
    variables = JSON.parse(json);
  } catch (cause) {
    throw new Error(`${fileName}: the variables are not valid JSON`, { cause });
  }
  if (typeof variables !== 'object' || variables === null || Array.isArray(variables)) {
    throw new Error(`${fileName}: the variables are not a JSON object`);
  }
  return JSON.stringify(variables, null, 2);
}

function firstSentence(lines: readonly string[]): string {
  const code = lines.findIndex((line) => !line.startsWith('#'));
  const comment = lines
    .slice(0, code)
    .map((line) => line.replace(/^#\s?/, ''))
    .join(' ');
  return /^.*?[.?!](?=\s|$)/.exec(comment)?.[0] ?? comment;
}
