import { operationFaultsContract } from '../../support/operation-faults.contract';

operationFaultsContract('an operation on SQLite', 'sqlite');
