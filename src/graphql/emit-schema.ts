import 'reflect-metadata';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { printEmittedSchema } from './printed-schema';

/** `npm run schema`: writes schema/schema.graphql from the code. */
writeFileSync(resolve('schema', 'schema.graphql'), printEmittedSchema());
