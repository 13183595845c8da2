/** In a filter a part given as null says the same as one left out. */
export function withoutNulls<Filter extends object>(filter: Filter | undefined | null): Partial<Filter> {
  const parts = Object.entries(filter ?? {}).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(parts) as Partial<Filter>;
}
