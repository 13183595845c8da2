import { Field, ObjectType } from 'type-graphql';
import { InvalidInput } from '../domain/errors';

@ObjectType('PageInfo', { description: 'Where a page lies in its list, after the Relay specification.' })
export class PageInfoType {
  @Field(() => Boolean, { description: 'Whether more follows after `endCursor`.' })
  readonly hasNextPage!: boolean;

  @Field(() => Boolean, { description: 'Whether something came before this page.' })
  readonly hasPreviousPage!: boolean;

  @Field(() => String, { nullable: true, description: 'Cursor of the first entry; null on an empty page.' })
  readonly startCursor?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Give it as `after` to get the next page. It can be set on an empty page that stopped before the end.',
  })
  readonly endCursor?: string | null;
}

export interface Page<Node> {
  readonly nodes: readonly Node[];
  readonly edges: readonly { readonly cursor: string; readonly node: Node }[];
  readonly pageInfo: PageInfoType;
  readonly totalCount: number | null;
}

export const MOST_PER_PAGE = 100;
export const DEFAULT_PER_PAGE = 20;

/** @throws InvalidInput when `first` is not 1..100 */
export function parseFirst(first: number | null): number {
  if (first === null) return DEFAULT_PER_PAGE;
  if (first >= 1 && first <= MOST_PER_PAGE) return first;
  throw new InvalidInput(`\`first\` must be between 1 and ${MOST_PER_PAGE}.`, { path: ['first'] });
}

export const firstArgument = {
  nullable: true,
  defaultValue: DEFAULT_PER_PAGE,
  description: `How many entries to return, at most ${MOST_PER_PAGE}.`,
};

export const afterArgument = { nullable: true, description: 'Continue after this cursor of an earlier page.' };

/** Cursors are opaque to clients; inside they are JSON, so that a forged one can only be refused or point elsewhere in the same list. */
export function encodeCursor(position: unknown): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/** @throws InvalidInput when the text is no cursor of this gateway */
export function decodeCursor<Position>(cursor: string, parse: (decoded: unknown) => Position | undefined): Position {
  let position: Position | undefined;
  try {
    position = parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch {
    position = undefined;
  }
  if (position !== undefined) return position;
  throw new InvalidInput('This is not a cursor of this list.', {
    path: ['after'],
    remedy: "Use `pageInfo.endCursor` or an edge's `cursor` of an earlier page, unchanged.",
  });
}

export function pageOf<Node>(
  edges: readonly { readonly cursor: string; readonly node: Node }[],
  options: { hasMore: boolean; isFirst: boolean; totalCount: number | undefined; endCursor?: string },
): Page<Node> {
  return {
    nodes: edges.map(({ node }) => node),
    edges,
    pageInfo: {
      hasNextPage: options.hasMore,
      hasPreviousPage: !options.isFirst,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: options.endCursor ?? edges.at(-1)?.cursor ?? null,
    },
    totalCount: options.totalCount ?? null,
  };
}
