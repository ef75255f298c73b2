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

/** One way to call an operation. */
interface Call {
  readonly id: string;
  readonly operation: Operation;
  readonly run: NonNullable<Operation[OperationLevel]>;
  readonly level: OperationLevel;
  readonly method: 'get' | 'post';
}

const CALLS = OPERATIONS.flatMap((operation) =>
  LEVELS.flatMap((level): readonly Call[] => {
    const run = operation[level];
    if (run === undefined) return [];
    return operation.methods.map((method) => ({
      id: operationId(operation, level, method),
      operation,
      run,
      level,
      method,
    }));
  }),
);

/** Those of the table, by operationId: types may have different operations of one name. */
export const TABLE_OPERATIONS: Readonly<Record<string, FhirOperation>> = Object.fromEntries(
  [...Map.groupBy(CALLS, ({ id }) => id)].map(([id, calls]) => [id, operationOf(calls)]),
);

function operationOf(calls: readonly Call[]): FhirOperation {
  const [{ operation, method, level }] = calls as readonly [Call];
  return {
    interaction: operation.name,
    ...(method === 'post' ? { body: 'json' } : {}),
    run: (services, context, input) => {
      const call = calls.find((one) => level === 'system' || isOperationOf(one.operation, knownType(input.type)));
      if (call === undefined) return refuseOperation();
      return call.run(services, context, {
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
