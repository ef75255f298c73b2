import {
  isOperationOf,
  LEVELS,
  OPERATIONS,
  type Operation,
  type OperationLevel,
  operationId,
} from '../interactions/operations/table.ts';
import type { FhirOperation } from './fhir-operation.ts';
import { knownType, refuseOperation } from './known-type.ts';

/** Those of the table, by the operationIds of their levels and methods. */
export const TABLE_OPERATIONS: Readonly<Record<string, FhirOperation>> = Object.fromEntries(
  OPERATIONS.flatMap((operation) =>
    LEVELS.flatMap((level) => {
      const run = operation[level];
      if (run === undefined) return [];
      return operation.methods.map((method) => [
        operationId(operation, level, method),
        tableOperation(operation, run, level, method),
      ]);
    }),
  ),
);

function tableOperation(
  operation: Operation,
  run: NonNullable<Operation[OperationLevel]>,
  level: OperationLevel,
  method: 'get' | 'post',
): FhirOperation {
  return {
    interaction: operation.name,
    ...(method === 'post' ? { body: 'json' } : {}),
    run: (services, context, input) => {
      if (level !== 'system') requireOperation(operation, knownType(input.type));
      return run(services, context, {
        type: input.type,
        id: input.id,
        pairs: input.pairs,
        body: method === 'post' ? input.json() : undefined,
        handling: input.preferences.handling,
        ifMatch: input.ifMatch(),
        idempotent: input.idempotent(),
      });
    },
  };
}

function requireOperation(operation: Operation, type: string): void {
  if (!isOperationOf(operation, type)) refuseOperation(`$${operation.name}`);
}
