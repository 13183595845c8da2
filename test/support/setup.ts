import 'reflect-metadata';
import { NestedUse } from '../../src/storage/nested-use';

NestedUse.isLookedFor = true;
