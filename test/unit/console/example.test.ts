import { parseExample } from '../../../src/console/playground/example';

const document =
  'mutation PauseConnection($input: ConnectionIdInput!) {\n  pauseConnection(input: $input) { requestId }\n}\n';

describe('parseExample', () => {
  it('takes the variables out of the leading comment and keeps the rest of it', () => {
    const example = parseExample(
      '12-pause-connection.graphql',
      `# Stops it. Nothing changes at Slack.\n# variables: {\n#   "input": { "id": "<connection id>" }\n# }\n# end variables\n${document}`,
    );

    expect(example).toEqual({
      fileName: '12-pause-connection.graphql',
      title: 'PauseConnection',
      summary: 'Stops it.',
      query: `# Stops it. Nothing changes at Slack.\n${document}`,
      variables: '{\n  "input": {\n    "id": "<connection id>"\n  }\n}',
    });
  });

  it('reads variables that stand on one line, and files with Windows line ends', () => {
    const text = `# Stops it.\n# variables: { "input": {} }\n# end variables\n${document}`.replaceAll('\n', '\r\n');

    expect(parseExample('a.graphql', text)).toMatchObject({
      query: `# Stops it.\n${document}`,
      variables: '{\n  "input": {}\n}',
    });
  });

  it('has no variables when the file names none', () => {
    expect(parseExample('a.graphql', '# Who asks?\nquery Viewer { viewer { name } }\n')).toMatchObject({
      title: 'Viewer',
      summary: 'Who asks?',
      variables: '',
    });
  });

  it.each([
    ['a block without an end', `# variables: {}\n${document}`],
    ['an end without a block', `# end variables\n${document}`],
    ['variables that are not JSON', `# variables: { id }\n# end variables\n${document}`],
    ['variables that are a list', `# variables: []\n# end variables\n${document}`],
    ['no named operation', '# Nothing here.\n{ viewer { name } }\n'],
  ])('names the file when it has %s', (_what, text) => {
    expect(() => parseExample('99-broken.graphql', text)).toThrow(/^99-broken\.graphql: /);
  });
});
