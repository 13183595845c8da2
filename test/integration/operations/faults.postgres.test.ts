import { operationFaultsContract } from '../../support/operation-faults.contract';
import { operationReplicasContract } from '../../support/operation-replicas.contract';

operationFaultsContract('an operation on PostgreSQL', 'postgres');
operationReplicasContract('work on many people of two replicas', 'postgres');
