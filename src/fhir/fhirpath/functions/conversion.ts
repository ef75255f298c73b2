import { decimalOf } from '../../json/decimals.ts';
import { quantityOf } from '../equality.ts';
import { booleans, type Collection, EMPTY, type Node, node, numberOf, singleton } from '../node.ts';
import { parseTemporal, parseTime } from '../temporal.ts';
import { type SystemType, systemTypeOf } from '../types.ts';
import { asBoolean, eager, type FunctionTable } from './spec.ts';

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...['true', 't', 'yes', 'y', '1', '1.0'].map((text) => [text, true] as const),
  ...['false', 'f', 'no', 'n', '0', '0.0'].map((text) => [text, false] as const),
]);

type Conversion = (item: Node) => unknown;

function textOfItem({ type, value }: Node): string | undefined {
  const decimal = systemTypeOf(type) === 'Decimal' ? decimalOf(value) : undefined;
  if (decimal !== undefined) return typeof value === 'number' ? String(value) : JSON.stringify(value);
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  const quantity = systemTypeOf(type) === 'Quantity' ? quantityOf(node(value, type)) : undefined;
  return quantity === undefined ? undefined : `${quantity.value} '${quantity.unit}'`;
}

function toBoolean(item: Node): boolean | undefined {
  if (typeof item.value === 'boolean') return item.value;
  const number = numberOf(item);
  if (number !== undefined) return number === 1 ? true : number === 0 ? false : undefined;
  return typeof item.value === 'string' ? BOOLEANS.get(item.value.toLowerCase()) : undefined;
}

/** A number from a boolean, a number, or text of the given form. */
function toNumber(item: Node, form: RegExp): number | undefined {
  if (typeof item.value === 'boolean') return item.value ? 1 : 0;
  if (typeof item.value === 'string') return form.test(item.value) ? Number(item.value) : undefined;
  return numberOf(item);
}

function toInteger(item: Node): number | undefined {
  const value = toNumber(item, /^[+-]?\d+$/);
  return Number.isInteger(value) && systemTypeOf(item.type) !== 'Decimal' ? value : undefined;
}

function toDate({ value }: Node): string | undefined {
  const text = typeof value === 'string' && parseTemporal(value) !== undefined ? value : undefined;
  return text?.split('T')[0];
}

function toDateTime({ value }: Node): string | undefined {
  return typeof value === 'string' && parseTemporal(value) !== undefined ? value : undefined;
}

function toTime({ value }: Node): string | undefined {
  return typeof value === 'string' && parseTime(value) !== undefined ? value : undefined;
}

function toQuantity(item: Node): object | undefined {
  if (typeof item.value === 'string') {
    const match = /^([+-]?\d+(?:\.\d+)?)\s*(?:'([^']+)')?$/.exec(item.value);
    return match === null ? undefined : { value: Number(match[1]), code: match[2] ?? '1' };
  }
  const quantity = quantityOf(item);
  return quantity === undefined ? undefined : { value: quantity.value, code: quantity.unit };
}

const CONVERSIONS: readonly (readonly [SystemType, Conversion])[] = [
  ['Boolean', toBoolean],
  ['Integer', toInteger],
  ['Decimal', (item) => toNumber(item, /^[+-]?\d+(?:\.\d+)?$/)],
  ['String', textOfItem],
  ['Date', toDate],
  ['DateTime', toDateTime],
  ['Time', toTime],
  ['Quantity', toQuantity],
];

function convert(input: Collection, type: SystemType, conversion: Conversion): Collection {
  const item = singleton(input);
  const value = item?.value === undefined ? undefined : conversion(item);
  return value === undefined ? EMPTY : [node(value, `System.${type}`)];
}

/** `toX()` and `convertsToX()` for each System type (https://hl7.org/fhirpath/N1/#conversion). */
export const CONVERSION: FunctionTable = CONVERSIONS.flatMap(([type, conversion]) => [
  [
    `to${type}`,
    eager(
      type === 'Quantity' ? [0, 1] : 0,
      () => [`System.${type}`],
      (input) => convert(input, type, conversion),
    ),
  ],
  [
    `convertsTo${type}`,
    eager(type === 'Quantity' ? [0, 1] : 0, asBoolean, (input) =>
      input.length === 0 ? EMPTY : booleans(convert(input, type, conversion).length > 0),
    ),
  ],
]);
