import { inBaseUnits, ucumUnit } from '../fhir/search/quantities.ts';
import type { NumberOperand, QuantityOperand } from '../fhir/search/query.ts';
import { highBetween, lowBetween, quantityKind } from '../sealing/blind-index/forms.ts';
import type { Criterion } from './criteria.ts';
import type { ParameterIndex } from './search-index.ts';

const [LEAST, GREATEST] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

/**
 * What the index tells of numbers is the power of ten and the leading digit: always a superset. A question with a unit
 * of UCUM is asked in base units, any other of the numbers as they are written.
 */
export function numeric(operand: NumberOperand | QuantityOperand, { some, present }: ParameterIndex): Criterion {
  const unit = operand.kind === 'quantity' ? ucumUnit(operand) : undefined;
  const kind = quantityKind(unit?.dimension);
  const { prefix, value, low, high } = unit === undefined ? operand : inBaseUnits(operand, unit);
  const begins = (from: number, to: number): Criterion => some(lowBetween(kind, from, to));
  const ends = (from: number, to: number): Criterion => some(highBetween(kind, from, to));
  switch (prefix) {
    case 'eq':
      return { kind: 'all', of: [begins(low, high), ends(low, high)] };
    case 'ne':
      return present;
    case 'gt':
    case 'ge':
      return ends(value, GREATEST);
    case 'lt':
    case 'le':
      return begins(LEAST, value);
    case 'sa':
      return begins(value, GREATEST);
    case 'eb':
      return ends(LEAST, value);
    case 'ap':
      return { kind: 'all', of: [ends(low, GREATEST), begins(LEAST, high)] };
  }
}
