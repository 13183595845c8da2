import { reviveItemProblem, type StoredItemProblem } from '../../domain/operations/item-problem';
import type { Operation } from '../../domain/operations/operation';
import type { OperationItem } from '../../domain/operations/operation-item';
import { toProblem } from '../problems/problem-node';
import type { OperationItemType, OperationType } from './operation.type';

/** What the fields of an operation are resolved from. */
export type OperationNode = OperationType & Operation;

export function toOperationNode(operation: Operation): OperationNode {
  const { pause } = operation;
  return { ...operation, pausedBecause: pause?.kind, problem: problemOf(operation, pause?.problem) };
}

export function toItemNode(operation: Operation, item: OperationItem): OperationItemType {
  return { ...item, problem: problemOf(operation, item.problem) };
}

function problemOf({ connectionId }: Operation, stored: StoredItemProblem | undefined) {
  return stored && toProblem(reviveItemProblem(stored), connectionId);
}
