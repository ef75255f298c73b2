import { type CanonicalUnit, canonicalUnit, canonicalValue } from '../terminology/ucum/ucum.ts';
import type { NumberOperand, QuantityOperand } from './query/ast.ts';
import type { NumberValue, QuantityValue } from './values.ts';

/** Number and quantity search: http://hl7.org/fhir/R4/search.html#number, #quantity, #prefix */

const UCUM = 'http://unitsofmeasure.org';

/** The unit in base units, where it is one of UCUM; only such quantities are converted. */
export function ucumUnit({ system, code }: Pick<QuantityValue, 'system' | 'code'>): CanonicalUnit | undefined {
  return system === UCUM && code !== undefined ? canonicalUnit(code) : undefined;
}

/** From where to where a value reaches: a number is where it is, a range or a comparison has two ends. */
export function numberEnds(value: NumberValue | QuantityValue): readonly [low: number, high: number] {
  const isOpen = value.kind === 'quantity' && value.comparator !== undefined;
  return value.value === undefined || isOpen ? [value.low, value.high] : [value.value, value.value];
}

export function matchesNumber(operand: NumberOperand, value: NumberValue): boolean {
  return compare(operand, numberEnds(value));
}

/** Units that convert are compared in base units; others must be the same, where the question names one. */
export function matchesQuantity(operand: QuantityOperand, value: QuantityValue): boolean {
  const [wanted, given] = [ucumUnit(operand), ucumUnit(value)];
  const [low, high] = numberEnds(value);
  if (wanted !== undefined && given !== undefined) {
    if (wanted.dimension !== given.dimension) return false;
    return compare(inBaseUnits(operand, wanted), [canonicalValue(low, given), canonicalValue(high, given)]);
  }
  return hasUnit(operand, value) && compare(operand, [low, high]);
}

/** The operand's numbers in base units. */
export function inBaseUnits<O extends NumberOperand | QuantityOperand>(operand: O, unit: CanonicalUnit): O {
  return {
    ...operand,
    value: canonicalValue(operand.value, unit),
    low: canonicalValue(operand.low, unit),
    high: canonicalValue(operand.high, unit),
  };
}

function hasUnit({ system, code }: QuantityOperand, value: QuantityValue): boolean {
  if (code === undefined) return true;
  if (system !== undefined) return value.system === system && value.code === code;
  return value.code === code || value.unit === code;
}

/** A point lies within the half-open range of what was written; a range must lie wholly in it. */
function isWithin({ low, high }: NumberOperand | QuantityOperand, [from, to]: readonly [number, number]): boolean {
  return low <= from && (from === to ? to < high : to <= high);
}

function compare(operand: NumberOperand | QuantityOperand, ends: readonly [number, number]): boolean {
  const [from, to] = ends;
  const { value } = operand;
  switch (operand.prefix) {
    case 'eq':
      return isWithin(operand, ends);
    case 'ne':
      return !isWithin(operand, ends);
    case 'gt':
      return to > value;
    case 'lt':
      return from < value;
    case 'ge':
      return to >= value;
    case 'le':
      return from <= value;
    case 'sa':
      return from > value;
    case 'eb':
      return to < value;
    case 'ap':
      return from <= operand.high && to >= operand.low;
  }
}
