import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql';

/** Errors name what was expected and never repeat what was given: it may be a secret in the wrong place. */
function textOf(value: unknown, expected: string): string {
  if (typeof value === 'string') return value;
  throw new GraphQLError(`Expected ${expected}.`);
}

function literalText(node: ValueNode, expected: string): string {
  return textOf(node.kind === Kind.STRING ? node.value : undefined, expected);
}

/** RFC 3339 with a time zone: without one an instant would depend on where the server stands. */
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

function parseInstant(text: string): Date {
  const instant = new Date(text);
  if (INSTANT.test(text) && !Number.isNaN(instant.getTime())) return instant;
  throw new GraphQLError('Expected an instant such as 2027-01-31T09:00:00Z.');
}

export const DateTimeScalar = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  description:
    'An instant as ISO 8601 (RFC 3339) text with a time zone, e.g. `2027-01-31T09:00:00Z`. Answers are in UTC.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339',
  serialize: (value) => {
    if (value instanceof Date) return value.toISOString();
    throw new GraphQLError('Expected an instant.');
  },
  parseValue: (value) => parseInstant(textOf(value, 'an instant as text')),
  parseLiteral: (node) => parseInstant(literalText(node, 'an instant as text')),
});

/**
 * Only that it is text is checked here. The domain checks the form, so that a mistyped address comes back as a problem
 * with a path and a remedy, and not as a failed request.
 */
function textScalar(name: string, description: string, specifiedByURL: string): GraphQLScalarType<string, string> {
  const expected = `${name} as text`;
  return new GraphQLScalarType<string, string>({
    name,
    description,
    specifiedByURL,
    serialize: (value) => textOf(value, expected),
    parseValue: (value) => textOf(value, expected),
    parseLiteral: (node) => literalText(node, expected),
  });
}

export const EmailAddressScalar = textScalar(
  'EmailAddress',
  'One e-mail address, e.g. `ada@example.com`. Slack compares addresses without regard to case.',
  'https://www.rfc-editor.org/rfc/rfc5321',
);

export const UrlScalar = textScalar(
  'URL',
  'An absolute address, e.g. `https://example.com/photo.png`.',
  'https://url.spec.whatwg.org/',
);
