import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql';

function objectOf(value: unknown): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new GraphQLError('Expected a JSON object.');
}

/** The parser has a limit of tokens, which bounds how deep a literal can nest. */
function literalValue(node: ValueNode, variables: Readonly<Record<string, unknown>> | null | undefined): unknown {
  switch (node.kind) {
    case Kind.NULL:
      return null;
    case Kind.INT:
    case Kind.FLOAT:
      return Number(node.value);
    case Kind.LIST:
      return node.values.map((value) => literalValue(value, variables));
    case Kind.OBJECT:
      return Object.fromEntries(node.fields.map(({ name, value }) => [name.value, literalValue(value, variables)]));
    case Kind.VARIABLE:
      return variables?.[node.name.value] ?? null;
    default:
      return node.value;
  }
}

export const JsonObjectScalar = new GraphQLScalarType<object, object>({
  name: 'JSONObject',
  description: 'An object as JSON has it: names with texts, numbers, booleans, nulls, lists and objects behind them.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259',
  serialize: objectOf,
  parseValue: objectOf,
  parseLiteral: (node, variables) => objectOf(literalValue(node, variables)),
});
