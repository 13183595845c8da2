import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildSchema,
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLNamedType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedDirective,
  isSpecifiedScalarType,
  parse,
  validate,
} from 'graphql';
import { parseExample } from '../../src/console/playground/example';
import { printEmittedSchema } from '../../src/graphql/printed-schema';
import { connectSandbox } from '../support/operations';
import { startTestApp, type TestApp } from '../support/start-app';
import { createKey, type PermissionName } from '../support/tenants';

const root = join(__dirname, '../..');
const read = (...path: string[]) => readFileSync(join(root, ...path), 'utf8');
const committed = read('schema/schema.graphql');
const schema = buildSchema(committed);
const examples = readdirSync(join(root, 'schema/operations'))
  .sort()
  .map((fileName) => parseExample(fileName, read('schema/operations', fileName)));

type Described = Pick<GraphQLArgument | GraphQLInputField, 'name' | 'type' | 'defaultValue' | 'description'>;

function ownTypes(of: GraphQLSchema): GraphQLNamedType[] {
  return Object.values(of.getTypeMap()).filter((type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type));
}

/** Everything that has a name: the types, and what they hold, by their path. */
function* namedThings(
  of: GraphQLSchema,
): Generator<[path: string, thing: { description?: string | null }, facts: string]> {
  for (const type of ownTypes(of)) {
    yield [type.name, type, type.constructor.name];
    if (isEnumType(type)) for (const value of type.getValues()) yield [`${type.name}.${value.name}`, value, ''];
    if (isInputObjectType(type)) {
      for (const field of Object.values(type.getFields())) yield [`${type.name}.${field.name}`, field, factsOf(field)];
    }
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    for (const { name } of type.getInterfaces()) yield [`${type.name} implements ${name}`, type, ''];
    for (const field of Object.values(type.getFields())) {
      yield [`${type.name}.${field.name}`, field, String(field.type)];
      for (const argument of field.args)
        yield [`${type.name}.${field.name}(${argument.name})`, argument, factsOf(argument)];
    }
  }
}

function factsOf({ type, defaultValue }: Described): string {
  return defaultValue === undefined ? String(type) : `${type} = ${JSON.stringify(defaultValue)}`;
}

describe('the schema', () => {
  it('is committed as the code makes it', () => {
    expect(committed).toBe(printEmittedSchema());
  });

  it('describes every type, field, argument, enum value and directive', () => {
    const undescribed = [...namedThings(schema)].filter(([, { description }]) => !description?.trim());
    expect(undescribed.map(([path]) => path)).toEqual([]);
    const directives = schema.getDirectives().filter((directive) => !isSpecifiedDirective(directive));
    expect(directives.filter(({ description }) => !description)).toEqual([]);
  });

  it('holds what the published contract promises, with the same types, nullability and defaults', () => {
    const contract = buildSchema(read('test/support/published-contract.graphql'));
    const held = new Map([...namedThings(schema)].map(([path, , facts]) => [path, facts]));
    const promised = [...namedThings(contract)].map(([path, , facts]) => `${path}: ${facts}`);
    expect(promised.length).toBeGreaterThan(300);
    expect(
      promised.filter(
        (promise) => !held.has(pathIn(promise)) || `${pathIn(promise)}: ${held.get(pathIn(promise))}` !== promise,
      ),
    ).toEqual([]);
  });

  it.each(['UserSelector', 'GroupSelector', 'ExpressionInput', 'ConditionInput'])(
    'takes exactly one field of %s',
    (name) => {
      const selector = schema.getType(name);
      expect(isInputObjectType(selector) && selector.isOneOf).toBe(true);
    },
  );

  it('asks for no argument that a client of the contract does not know', () => {
    const contract = buildSchema(read('test/support/published-contract.graphql'));
    const promised = new Set([...namedThings(contract)].map(([path]) => path));
    const demanded = [...namedThings(schema)].filter(([path, , facts]) => {
      const [, owner] = /^(.+?)(?:\(\w+\)|\.\w+)$/.exec(path) ?? [];
      const isInput = path.includes('(') || isInputObjectType(schema.getType(owner ?? ''));
      return isInput && promised.has(owner ?? '') && facts.endsWith('!') && !promised.has(path);
    });
    expect(demanded.map(([path]) => path)).toEqual([]);
  });
});

function pathIn(promise: string): string {
  return promise.slice(0, promise.indexOf(': '));
}

describe('the examples of the playground', () => {
  it.each(examples.map((example) => [example.fileName, example] as const))('%s fits the schema', (_, { query }) => {
    expect(validate(schema, parse(query))).toEqual([]);
  });

  describe('in a running gateway', () => {
    let app: TestApp;
    /** What stands for the texts in angle brackets, as far as earlier examples have told. */
    const known: Record<string, string> = {};
    beforeAll(async () => {
      app = await startTestApp();
      known['<sandbox token>'] = app.simulator.tokens['business-admin'];
    });
    afterAll(() => app?.stop());

    // Subscriptions need a connection that stays open: they run where those are tested.
    const answered = examples.filter(({ query }) => !/^subscription/m.test(query));
    it.each(answered.map((example) => [example.fileName, example] as const))(
      '%s runs with the permissions that it names, and has no problem',
      async (_, { query, variables }) => {
        // An earlier example deletes the connection that it was shown on.
        if (variables.includes('<connection id>')) known['<connection id>'] ??= (await connectSandbox(app)).id;
        if (variables.includes('<organization connection id>'))
          known['<organization connection id>'] ??= (await connectSandbox(app, 'enterprise-owner')).id;
        const filled = variables.replace(/<[^>]+>/g, (placeholder) => known[placeholder] ?? placeholder);
        expect(filled).not.toMatch(/<[^>]+>/);
        const key = await createKey(app, permissionsIn(query));

        const answer = await app.call(query, filled === '' ? {} : (JSON.parse(filled) as object), { key });

        expect(answer.errors).toBeUndefined();
        expect(answer.text).not.toMatch(/"problems":\[\{/);
        learn(answer.data ?? {}, known);
      },
    );
  });
});

/** The names after "Permission:" in the comment; an example that needs none is run with one that it does not need. */
function permissionsIn(query: string): PermissionName[] {
  const line = /^# Permission: (.*)$/m.exec(query)?.[1] ?? '';
  const named = line.match(/[A-Z]+_[A-Z]+|ADMIN/g) as PermissionName[] | null;
  return named ?? ['USERS_READ'];
}

function learn(data: Record<string, unknown>, known: Record<string, string>): void {
  const { createConnection, createApiKey, startInstall, provisionUsers } = data as Record<
    string,
    Record<string, { id: string } | null> | undefined
  >;
  if (createConnection?.connection) known['<connection id>'] = createConnection.connection.id;
  if (data.deleteConnection) delete known['<connection id>'];
  if (createApiKey?.apiKey) known['<api key id>'] = createApiKey.apiKey.id;
  if (provisionUsers?.operation) known['<operation id>'] = provisionUsers.operation.id;
  if (startInstall?.install) known['<install id>'] = startInstall.install.id;
  const { resealSecrets } = data as { resealSecrets?: { sealingKeys: { id: string; canBeRemoved: boolean }[] } };
  const unused = resealSecrets?.sealingKeys.find(({ canBeRemoved }) => canBeRemoved);
  if (unused) known['<unused sealing key id>'] = unused.id;
}
