import { approximateRange } from '../dates.ts';
import type { Operand } from './ast.ts';

export function isApproximate(operand: Operand): boolean {
  if (operand.kind === 'composite') return operand.operands.some(isApproximate);
  return 'prefix' in operand && operand.prefix === 'ap';
}

/**
 * What `ap` accepts, worked into the operand's range: R4 recommends a tenth of the value, and of a date a tenth of its
 * distance from now (http://hl7.org/fhir/R4/search.html#prefix).
 *
 * @param now epoch milliseconds
 */
export function approximate(operand: Operand, now: number): Operand {
  if (operand.kind === 'composite') {
    return { ...operand, operands: operand.operands.map((part) => approximate(part, now)) };
  }
  if (!('prefix' in operand) || operand.prefix !== 'ap') return operand;
  if (operand.kind === 'date') return { ...operand, ...approximateRange(operand, now) };
  const tolerance = Math.abs(operand.value) / 10;
  return { ...operand, low: operand.low - tolerance, high: operand.high + tolerance };
}
