import { type GraphQLResolveInfo, Kind, type SelectionSetNode } from 'graphql';

/**
 * Whether one of the fields is asked for anywhere below the field that is being resolved, fragments included. It may say
 * yes for a field of the same name of another type, so it serves to read ahead and never to leave something out for good.
 */
export function selectsBelow(info: GraphQLResolveInfo, names: readonly string[]): boolean {
  const seen = new Set<string>();
  const waiting = info.fieldNodes.map(({ selectionSet }) => selectionSet);
  const visit = (set: SelectionSetNode | undefined) => waiting.push(set);
  while (waiting.length > 0) {
    for (const selection of waiting.pop()?.selections ?? []) {
      if (selection.kind === Kind.FIELD && names.includes(selection.name.value)) return true;
      if (selection.kind !== Kind.FRAGMENT_SPREAD) {
        visit(selection.selectionSet);
      } else if (!seen.has(selection.name.value)) {
        seen.add(selection.name.value);
        visit(info.fragments[selection.name.value]?.selectionSet);
      }
    }
  }
  return false;
}
