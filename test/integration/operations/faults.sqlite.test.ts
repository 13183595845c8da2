import { operationFaultsContract } from '../../support/operation-faults.contract';
import { operationReplicasContract } from '../../support/operation-replicas.contract';

operationFaultsContract('an operation on SQLite', 'sqlite');
operationReplicasContract('work on many people with SQLite', 'sqlite');
