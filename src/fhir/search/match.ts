import type { Criterion, DateOperand, Operand } from './query.ts';
import { normalise } from './strings.ts';
import type { DateValue, SearchValue } from './values.ts';

/**
 * Decides a criterion on an opened resource, for what the blind index answers only as a superset: long texts and times
 * finer than a day. http://hl7.org/fhir/R4/search.html#prefix
 */
export function matchesResource(criterion: Criterion, resource: object): boolean {
  if (criterion.kind !== 'match') return true;
  const values = criterion.parameter.values(resource);
  return criterion.operands.some((operand) => values.some((value) => matchesValue(operand, value)));
}

function matchesValue(operand: Operand, value: SearchValue): boolean {
  if (operand.kind === 'string' && value.kind === 'string') {
    return normalise(value.text).startsWith(normalise(operand.text));
  }
  if (operand.kind === 'date' && value.kind === 'date') return matchesDate(operand, value);
  return false;
}

/** Both are half-open ranges of epoch milliseconds. */
function matchesDate(operand: DateOperand, value: DateValue): boolean {
  const contained = operand.low <= value.low && value.high <= operand.high;
  switch (operand.prefix) {
    case 'eq':
      return contained;
    case 'ne':
      return !contained;
    case 'gt':
      return value.high > operand.high;
    case 'lt':
      return value.low < operand.low;
    case 'ge':
      return value.high > operand.high || contained;
    case 'le':
      return value.low < operand.low || contained;
    case 'sa':
      return value.low >= operand.high;
    case 'eb':
      return value.high <= operand.low;
    case 'ap':
      return value.low < operand.high && value.high > operand.low;
  }
}
