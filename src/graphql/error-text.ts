import type { GraphQLError } from 'graphql';

/** Each form takes the whole rest of a message, so that nothing in a value can look like its end. */
type Rewriting = readonly [form: RegExp, text: string];

const forms: readonly Rewriting[] = [
  [/^(Syntax Error: [\s\S]*?)(Name|String|BlockString|Int|Float|Comment) "[\s\S]*$/, '$1$2.'],
  [/^(Syntax Error: Invalid [\w ,]+?)(?:, expected [\w ]+ but got)?: [\s\S]*$/, '$1.'],
  [/^(Syntax Error: Unexpected (?:variable|character))[: ][\s\S]*$/, '$1.'],
  [/^Unknown operation named "[\s\S]*$/, 'There is no operation with this name.'],
  [/^(Variable "\$\w+" got )invalid value [\s\S]*$/, '$1an invalid value.'],
  [/^(Argument "\w+" has )invalid value [\s\S]*$/, '$1an invalid value.'],
  [/^Value "[\s\S]*" does not exist in "(\w+)" enum\.[\s\S]*$/, 'The value does not exist in the enum "$1".'],
  [/^((?:Enum "\w+"|\w+) cannot represent [\w -]*?value): [\s\S]*$/, '$1.'],
  [/^(Expected value of type "[\w[\]!]+"), found [\s\S]*$/, '$1.'],
];

/** The keys of a variable are data too; those of a literal are part of the document. */
const variableForms: readonly Rewriting[] = [
  [/^Field "[\s\S]*" is not defined by type "(\w+)"\.[\s\S]*$/, 'A field is not defined by type "$1".'],
  ...forms,
];

/**
 * graphql-js and Apollo repeat in their messages what was sent: variables, literals, even the text around a syntax error.
 * A token that stands in the wrong place must not come back, so a message keeps names of the schema and of the document,
 * and loses every value.
 */
export function withoutValues({ message, originalError }: Pick<GraphQLError, 'message' | 'originalError'>): string {
  const start = /^Variable "\$\w+" got (?=invalid value )/.exec(message)?.[0];
  const reason = originalError?.message;
  if (start === undefined || !reason || !message.endsWith(`; ${reason}`)) return rewritten(message, forms);
  // The place comes behind the value. Quotation marks within a value have a backslash before them, so it cannot be forged.
  const place = / at "[\w.[\]]+"$/.exec(message.slice(0, -`; ${reason}`.length))?.[0] ?? '';
  return `${start}an invalid value${place}; ${rewritten(reason, variableForms)}`;
}

function rewritten(message: string, rewritings: readonly Rewriting[]): string {
  const fitting = rewritings.find(([form]) => form.test(message));
  return fitting ? message.replace(...fitting) : message;
}
