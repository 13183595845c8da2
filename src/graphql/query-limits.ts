import {
  type ASTVisitor,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValidationContext,
  type ValueNode,
} from 'graphql';
import { DEFAULT_PER_PAGE, MOST_PER_PAGE } from './page.type';

/**
 * What one document may ask for. A page of 20 people with all their fields inside a page of 20 connections is the largest
 * honest query, and stays below; the product of two pages of 100 does not, and neither do thousands of look-ups in Slack.
 */
export const queryLimits = {
  depth: 15,
  aliases: 30,
  directives: 30,
  rootFields: 15,
  /** Fields, counted as often as the pages around them can repeat them. */
  cost: 30_000,
  /** As many as a wide record of a person may have. */
  variableFields: 500,
  /** Levels of JSON. An expression of a mapping takes up to four, and nests a dozen times. */
  variableDepth: 64,
} as const;

export const documentLimits = {
  tokens: 1000,
  /** Of those that a document has, the first few are told. */
  errors: 5,
} as const;

interface Size {
  /** Fields of the outermost level, those in fragments included. */
  fields: number;
  depth: number;
  aliases: number;
  directives: number;
  cost: number;
}

/** Fields that hold a page's entries: what is below them repeats `first` times. */
const pagedFields: ReadonlySet<string> = new Set([
  'connections',
  'users',
  'groups',
  'members',
  'mappingVersions',
  'operations',
  'items',
  'previewMapping',
]);
/** Fields that ask Slack each time, or take as long. */
const liveFields: ReadonlySet<string> = new Set(['users', 'user', 'groups', 'group', 'previewMapping']);
const LIVE_COST = 100;
const pageFields: ReadonlySet<string> = new Set(['nodes', 'edges', 'pageInfo', 'totalCount']);
/** A variable page size is unknown at validation, so it counts as the largest. */
const UNKNOWN_PAGE = MOST_PER_PAGE;
/** Introspection nests deeper than data and costs nothing; graphql-js has its own rule against circular introspection. */
const INTROSPECTION_DEPTH = 20;
/** Stop counting when a document is hopeless, so that fragments that multiply cannot keep the counter busy. */
const ENOUGH = 1_000_000;

/** Refuses documents that are too deep, too broad, or too costly, before anything is executed. */
export function queryLimitsRule(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition(operation) {
      const problem = problemOf(context, operation);
      if (problem) {
        context.reportError(new GraphQLError(problem, { nodes: [operation], extensions: { code: 'QUERY_TOO_LARGE' } }));
      }
    },
  };
}

/**
 * graphql-js prints the whole object for each field in it that it does not know, up to fifty times: twenty thousand keys
 * take it seconds. No input of ours has more than a few dozen fields. It also follows an input that can hold itself, such as
 * an expression, as deep as the variables nest.
 * @throws GraphQLError QUERY_TOO_LARGE
 */
export function assertSmallVariables(variables: unknown): void {
  const excess = excessOf(variables);
  if (excess === undefined) return;
  throw new GraphQLError(excess, { extensions: { code: 'QUERY_TOO_LARGE', http: { status: 400 } } });
}

/** Walks without recursion, since JSON may nest deeper than the stack. */
function excessOf(variables: unknown): string | undefined {
  const waiting = [{ value: variables, depth: 0 }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { value, depth } = next;
    if (typeof value !== 'object' || value === null) continue;
    if (depth > queryLimits.variableDepth) return `The variables nest deeper than ${queryLimits.variableDepth} levels.`;
    const members = Object.values(value);
    if (!Array.isArray(value) && members.length > queryLimits.variableFields)
      return `An object in the variables has more than ${queryLimits.variableFields} fields.`;
    for (const member of members) waiting.push({ value: member, depth: depth + 1 });
  }
  return undefined;
}

function problemOf(context: ValidationContext, operation: OperationDefinitionNode): string | undefined {
  const size = new Measure(context).operation(operation);
  if (size.depth > queryLimits.depth) return `The query nests deeper than ${queryLimits.depth} levels.`;
  if (size.aliases > queryLimits.aliases) return `The query has more than ${queryLimits.aliases} aliases.`;
  if (size.directives > queryLimits.directives) return `The query has more than ${queryLimits.directives} directives.`;
  if (size.fields > queryLimits.rootFields) return `The query has more than ${queryLimits.rootFields} root fields.`;
  if (size.cost > queryLimits.cost)
    return `The query can return more than ${queryLimits.cost} values; ask for smaller pages.`;
  return undefined;
}

class Measure {
  readonly #fragments = new Map<string, Size>();
  readonly #open = new Set<string>();

  constructor(private readonly context: ValidationContext) {}

  operation(operation: OperationDefinitionNode): Size {
    return add(this.selections(operation.selectionSet), {
      ...nothing(),
      directives: operation.directives?.length ?? 0,
    });
  }

  private selections(selectionSet: SelectionSetNode): Size {
    let total = nothing();
    for (const selection of selectionSet.selections) {
      const directives = selection.directives?.length ?? 0;
      const inner =
        selection.kind === Kind.FIELD
          ? this.field(selection)
          : selection.kind === Kind.INLINE_FRAGMENT
            ? this.selections(selection.selectionSet)
            : this.fragment(this.context.getFragment(selection.name.value));
      total = add(total, { ...inner, directives: inner.directives + directives });
    }
    return total;
  }

  private field(field: FieldNode): Size {
    const aliases = field.alias ? 1 : 0;
    if (!field.selectionSet) return { ...nothing(), fields: 1, depth: 1, aliases, cost: 1 };
    const inner = this.selections(field.selectionSet);
    const isIntrospection = field.name.value === '__schema' || field.name.value === '__type';
    const depth = isIntrospection && inner.depth <= INTROSPECTION_DEPTH ? 1 : inner.depth + 1;
    const isList = field.name.value === 'groups' && !holdsPage(field.selectionSet);
    const times = pagedFields.has(field.name.value) && !isList ? pageSizeOf(field) : 1;
    const own = liveFields.has(field.name.value) && !isList ? LIVE_COST : 1;
    return {
      fields: 1,
      depth,
      aliases: aliases + inner.aliases,
      directives: inner.directives,
      cost: Math.min(ENOUGH, own + inner.cost * times),
    };
  }

  /** Measured once each, so that fragments which spread each other many times cost no time; cycles are another rule's. */
  private fragment(fragment: FragmentDefinitionNode | undefined | null): Size {
    if (!fragment || this.#open.has(fragment.name.value)) return nothing();
    const { value: name } = fragment.name;
    const known = this.#fragments.get(name);
    if (known) return known;
    this.#open.add(name);
    const size = this.selections(fragment.selectionSet);
    this.#open.delete(name);
    this.#fragments.set(name, size);
    return size;
  }
}

/** The groups of a person are a short list that comes with the person; those of a connection are a page. */
function holdsPage({ selections }: SelectionSetNode): boolean {
  return selections.some((selection) => selection.kind !== Kind.FIELD || pageFields.has(selection.name.value));
}

function nothing(): Size {
  return { fields: 0, depth: 0, aliases: 0, directives: 0, cost: 0 };
}

function add(left: Size, right: Size): Size {
  return {
    fields: Math.min(ENOUGH, left.fields + right.fields),
    depth: Math.max(left.depth, right.depth),
    aliases: Math.min(ENOUGH, left.aliases + right.aliases),
    directives: Math.min(ENOUGH, left.directives + right.directives),
    cost: Math.min(ENOUGH, left.cost + right.cost),
  };
}

function pageSizeOf(field: FieldNode): number {
  const value: ValueNode | undefined = field.arguments?.find(({ name }) => name.value === 'first')?.value;
  if (!value) return DEFAULT_PER_PAGE;
  if (value.kind !== Kind.INT) return UNKNOWN_PAGE;
  return Math.min(MOST_PER_PAGE, Math.max(1, Number(value.value)));
}
