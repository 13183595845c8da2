/**
 * For the option `schemaController` of fastify. None of our routes has a schema, and the compilers that fastify loads for
 * them would take a good part of every start. A route with a schema ends the start, instead of going unchecked.
 */
export const withoutRouteSchemas = {
  compilersFactory: { buildValidator: refuseSchemas, buildSerializer: refuseSchemas },
};

function refuseSchemas(): never {
  throw new Error('This server was made for routes without schemas');
}
