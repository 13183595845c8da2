import fc from 'fast-check';
import { GraphQLError, graphqlSync, parse, type VariableDefinitionNode, validate } from 'graphql';
import { getVariableValues } from 'graphql/execution/values';
import { withoutValues } from '../../../src/graphql/error-text';
import { buildGraphQLSchema } from '../../../src/graphql/schema';

const schema = buildGraphQLSchema({ get: () => undefined });
const secret = 'xoxp-4711-secret';

/** What a client would read of a document and its variables, as graphql-js words it and as we pass it on. */
function messagesOf(source: string, variables: Record<string, unknown> = {}): string[] {
  return errorsOf(source, variables).map(withoutValues);
}

function errorsOf(source: string, variables: Record<string, unknown>): readonly GraphQLError[] {
  try {
    const document = parse(source, { maxTokens: 1000 });
    const invalid = validate(schema, document, undefined, { hideSuggestions: true });
    if (invalid.length > 0) return invalid;
    const definitions = document.definitions.flatMap((definition): readonly VariableDefinitionNode[] =>
      'variableDefinitions' in definition ? (definition.variableDefinitions ?? []) : [],
    );
    return getVariableValues(schema, definitions, variables).errors ?? [];
  } catch (error) {
    if (error instanceof GraphQLError) return [error];
    throw error;
  }
}

const create = 'mutation ($input: CreateConnectionInput!) { createConnection(input: $input) { requestId } }';
const connection = { name: 'Acme', environment: 'SANDBOX', token: 'x' };

describe('the text of an error', () => {
  it.each<[string, object | string, string]>([
    [
      'a wrong type',
      { ...connection, name: 5 },
      'Variable "$input" got an invalid value at "input.name"; String cannot represent a non string value.',
    ],
    [
      'text for an enum',
      { ...connection, environment: secret },
      'Variable "$input" got an invalid value at "input.environment"; The value does not exist in the enum "ConnectionEnvironment".',
    ],
    [
      'an object for an enum',
      { ...connection, environment: { a: secret } },
      'Variable "$input" got an invalid value at "input.environment"; Enum "ConnectionEnvironment" cannot represent non-string value.',
    ],
    [
      'a field too many',
      { ...connection, [secret]: 1 },
      'Variable "$input" got an invalid value; A field is not defined by type "CreateConnectionInput".',
    ],
    [
      'a field too few',
      { name: secret },
      'Variable "$input" got an invalid value; Field "environment" of required type "ConnectionEnvironment!" was not provided.',
    ],
    [
      'null where there must be something',
      { ...connection, token: null },
      'Variable "$input" got an invalid value at "input.token"; Expected non-nullable type "String!" not to be null.',
    ],
    [
      'text for an object',
      secret,
      'Variable "$input" got an invalid value; Expected type "CreateConnectionInput" to be an object.',
    ],
    [
      'text that looks like the end of a message',
      `${secret}; Field "${secret}" of required type "x" was not provided.`,
      'Variable "$input" got an invalid value; Expected type "CreateConnectionInput" to be an object.',
    ],
    [
      'text that looks like a place',
      `a" at "input.${secret}"; `,
      'Variable "$input" got an invalid value; Expected type "CreateConnectionInput" to be an object.',
    ],
  ])('says what is wrong with a variable without repeating it: %s', (_, input, expected) => {
    expect(messagesOf(create, { input })).toContain(expected);
  });

  it.each([
    [`{ "${secret}" }`, 'Syntax Error: Expected Name, found String.'],
    [`{ viewer { """${secret}""" } }`, 'Syntax Error: Expected Name, found BlockString.'],
    [`mutation { createTenant(input: { name: ${secret} }) { requestId } }`, 'Syntax Error: Expected Name, found Int.'],
    ['{ viewer { name } } rk_secret', 'Syntax Error: Unexpected Name.'],
    ['{ viewer { name } ', 'Syntax Error: Expected Name, found <EOF>.'],
    ['{ a(b: 01) }', 'Syntax Error: Invalid number, unexpected digit after 0.'],
    ['{ a(b: "\\x") }', 'Syntax Error: Invalid character escape sequence.'],
    ['{ a(b: 1.x) }', 'Syntax Error: Invalid number.'],
    ['{ ? }', 'Syntax Error: Unexpected character.'],
    ['query ($a: Int = $secret) { a }', 'Syntax Error: Unexpected variable.'],
    [`{ connections(first: "${secret}") { totalCount } }`, 'Int cannot represent non-integer value.'],
    [`{ connections(first: { a: "${secret}" }) { totalCount } }`, 'Int cannot represent non-integer value.'],
    [`{ connections(filter: "${secret}: x") { totalCount } }`, 'Expected value of type "ConnectionFilter".'],
    [
      `{ connections(filter: { status: ["${secret}"] }) { totalCount } }`,
      'Enum "ConnectionStatus" cannot represent non-enum value.',
    ],
    [
      '{ connections(filter: { status: [SECRET] }) { totalCount } }',
      'The value does not exist in the enum "ConnectionStatus".',
    ],
    [
      'mutation { createApiKey(input: { name: "x", permissions: [ADMIN], expiresAt: "secret" }) { requestId } }',
      'Expected an instant such as 2027-01-31T09:00:00Z.',
    ],
  ])('says what is wrong with %s without repeating a literal', (source, expected) => {
    expect(messagesOf(source)).toContain(expected);
  });

  it('keeps names of the document, which are what a developer looks for', () => {
    expect(messagesOf('{ viewerr { name } }')).toEqual(['Cannot query field "viewerr" on type "Query".']);
    expect(messagesOf('query ($a: Int!) { connections(first: $a) { totalCount } }')).toEqual([
      'Variable "$a" of required type "Int!" was not provided.',
    ]);
    const { errors } = graphqlSync({ schema, source: 'query A { a: __typename } query B { b: __typename }' });
    expect(errors?.map(withoutValues)).toEqual(['Must provide operation name if query contains multiple operations.']);
  });

  it('does not repeat an operation name', () => {
    const error = new GraphQLError(`Unknown operation named "${secret}".`);
    expect(withoutValues(error)).toBe('There is no operation with this name.');
  });

  const around = fc.string({
    unit: fc.constantFrom('"', '\\', ';', ' ', ':', '.', '\n', '}', 'a', ' at "', '; Expected type "'),
  });
  const withSecret = fc.tuple(around, around).map(([before, after]) => `${before}${secret}${after}`);
  const values = fc.letrec<{ value: unknown; leaf: unknown }>((tie) => ({
    leaf: fc.oneof(withSecret, fc.integer(), fc.constant(null), fc.boolean()),
    value: fc.oneof(
      { depthSize: 'small' },
      tie('leaf'),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.oneof(withSecret, fc.constantFrom('name', 'token', 'environment', 'id')), tie('value'), {
        maxKeys: 3,
      }),
    ),
  })).value;

  it('never holds any part of a variable, whatever its form', () => {
    const sources = [
      create,
      'query ($input: UserSelector!) { connection(id: "x") { user(by: $input) { id } } }',
      'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { requestId } }',
      'query ($input: [ConnectionStatus!]) { connections(filter: { status: $input }) { totalCount } }',
      'query ($input: Int!) { connections(first: $input) { totalCount } }',
      'mutation ($input: ProvisionUserInput!) { provisionUser(input: $input) { requestId } }',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...sources), values, (source, input) => {
        expect(messagesOf(source, { input }).join('\n')).not.toContain('4711');
      }),
      { numRuns: 600, seed: 4_711 },
    );
  });

  it('never holds any part of a literal, whatever its form and place', () => {
    const places = [
      (text: string) => `{ connections(first: ${text}) { totalCount } }`,
      (text: string) => `{ connections(filter: ${text}) { totalCount } }`,
      (text: string) => `mutation { createTenant(input: { name: ${text} }) { requestId } }`,
      (text: string) => `{ viewer { name } } ${text}`,
      (text: string) => `{ ${text} }`,
      (text: string) => `query (${text}: Int) { viewer { name } }`,
      (text: string) => `{ viewer @include(if: ${text}) { name } }`,
    ];
    const literals = values.map((value) => JSON.stringify(value));
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.oneof(literals, withSecret), (place, text) => {
        expect(messagesOf(place(text)).join('\n')).not.toContain('4711');
      }),
      { numRuns: 1000, seed: 4_711 },
    );
  });
});
