import { operationEdgeContract } from '../../support/operation-edge.contract';

operationEdgeContract('the edge of operations with SQLite', 'sqlite');
