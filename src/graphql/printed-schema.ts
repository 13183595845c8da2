import { lexicographicSortSchema, printSchema } from 'graphql';
import { buildGraphQLSchema } from './schema';

/** The schema as schema/schema.graphql holds it. Printing needs no resolver instances. */
export function printEmittedSchema(): string {
  const schema = buildGraphQLSchema({ get: () => undefined });
  return `${printSchema(lexicographicSortSchema(schema))}\n`;
}
