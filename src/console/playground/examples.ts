import { type Example, parseExample } from './example';

const files = import.meta.glob<string>('../../../schema/operations/*.graphql', {
  query: '?raw',
  import: 'default',
  eager: true,
});

/** Every file of schema/operations, in file-name order, read when the playground is built. */
export const examples: readonly Example[] = Object.entries(files)
  .map(([path, text]) => parseExample(path.slice(path.lastIndexOf('/') + 1), text))
  .sort((a, b) => a.fileName.localeCompare(b.fileName, 'en'));
