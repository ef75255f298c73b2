import { expressionError } from '../lexer.ts';
import { type Collection, EMPTY, node, numberOf, singleton } from '../node.ts';
import { systemTypeOf } from '../types.ts';
import { asInput, eager, type FunctionSpec, type FunctionTable } from './spec.ts';

type Result = 'System.Integer' | 'System.Decimal' | 'same';

/** A function of the input and of the arguments as numbers; empty when one is, or when the result is not finite. */
function ofNumbers(
  arity: number | readonly [number, number],
  result: Result,
  call: (value: number, argument?: number) => number,
): FunctionSpec {
  return eager(arity, result === 'same' ? asInput : () => [result], (input, args) => {
    const item = singleton(input);
    const argument = args[0] === undefined ? undefined : singleton(args[0]);
    if (item === undefined || (args.length > 0 && argument === undefined)) return EMPTY;
    const value = call(needNumber(input), args[0] === undefined ? undefined : needNumber(args[0]));
    if (!Number.isFinite(value)) return EMPTY;
    const same = systemTypeOf(item.type) === 'Integer' ? 'System.Integer' : 'System.Decimal';
    return [node(value, result === 'same' ? same : result)];
  });
}

function needNumber(collection: Collection): number {
  const value = numberOf(singleton(collection));
  if (value === undefined) throw expressionError('A number is needed');
  return value;
}

function round(value: number, places = 0): number {
  // Half away from zero, on the decimal text, so that 1.005 rounds as it is written.
  const sign = Math.sign(value);
  const [mantissa, exponent = '0'] = String(Math.abs(value)).split('e');
  const scaled = Math.round(Number(`${mantissa}e${Number(exponent) + places}`));
  const [whole, power = '0'] = String(scaled).split('e');
  return sign * Number(`${whole}e${Number(power) - places}`);
}

/** https://hl7.org/fhirpath/N1/#math */
export const MATH: FunctionTable = [
  ['abs', ofNumbers(0, 'same', Math.abs)],
  ['ceiling', ofNumbers(0, 'System.Integer', Math.ceil)],
  ['exp', ofNumbers(0, 'System.Decimal', Math.exp)],
  ['floor', ofNumbers(0, 'System.Integer', Math.floor)],
  ['ln', ofNumbers(0, 'System.Decimal', Math.log)],
  ['log', ofNumbers(1, 'System.Decimal', (value, base = 10) => Math.log(value) / Math.log(base))],
  ['power', ofNumbers(1, 'same', (value, exponent = 1) => value ** exponent)],
  ['round', ofNumbers([0, 1], 'System.Decimal', round)],
  ['sqrt', ofNumbers(0, 'System.Decimal', Math.sqrt)],
  ['truncate', ofNumbers(0, 'System.Integer', Math.trunc)],
];
