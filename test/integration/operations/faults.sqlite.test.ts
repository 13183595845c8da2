import { operationFaultsContract } from '../../support/operation-faults.contract';
import { operationReplicasContract } from '../../support/operation-replicas.contract';
import { operationStopContract } from '../../support/operation-stop.contract';

operationFaultsContract('an operation on SQLite', 'sqlite');
operationReplicasContract('work on many people with SQLite', 'sqlite');
operationStopContract('a process that is told to stop in the middle of work with SQLite', 'sqlite');
