import { isId, type ParsedReference, parseCanonical, parseReference } from '../../references/reference.ts';
import type { SearchParameterType } from '../conversions/table.ts';
import { parseSearchDate } from '../dates.ts';
import { numberRange } from '../numbers.ts';
import type { SearchComponent } from '../parameters.ts';
import type { Modifier, NearOperand, Operand, Prefix, QuantityOperand, ReferenceOperand } from './ast.ts';
import { splitEscaped, unescapeValue } from './escapes.ts';

/** What an operand is parsed by: a search parameter or a component of a composite one. */
export interface OperandTarget {
  readonly type: SearchParameterType;
  readonly targets: readonly string[];
  readonly components?: readonly SearchComponent[];
}

const PREFIXED = /^(eq|ne|gt|lt|ge|le|sa|eb|ap)?([^a-z].*)$/s;

/**
 * Parses one of the values of a parameter, still escaped. Undefined when it is malformed. `types` are those that a
 * reference may lead to.
 */
export function parseOperand(
  target: OperandTarget,
  modifier: Modifier | undefined,
  types: readonly string[],
  text: string,
): Operand | undefined {
  if (text === '') return undefined;
  switch (target.type) {
    case 'token':
      return parseToken(modifier, text);
    case 'reference':
      return modifier === 'identifier'
        ? parseToken(undefined, text)
        : parseReferenceOperand(unescapeValue(text), types);
    case 'string':
      return { kind: 'string', text: unescapeValue(text) };
    case 'uri':
      return { kind: 'uri', uri: unescapeValue(text) };
    case 'date':
      return parseSearchDate(text);
    case 'number':
      return parseNumber(text);
    case 'quantity':
      return parseQuantity(text);
    case 'composite':
      return parseComposite(target.components ?? [], text);
    case 'special':
      return parseNear(text);
  }
}

function parseToken(modifier: Modifier | undefined, text: string): Operand | undefined {
  if (modifier === 'text') return { kind: 'text', text: unescapeValue(text) };
  if (modifier === 'in' || modifier === 'not-in') return { kind: 'value-set', url: unescapeValue(text) };
  const parts = splitEscaped(text, '|').map(unescapeValue);
  if (modifier === 'of-type') {
    const [system, code, value] = parts;
    if (parts.length !== 3 || !code || !value) return undefined;
    return { kind: 'of-type', system: system === '' ? undefined : system, code, value };
  }
  const [first = '', second] = parts;
  if (parts.length > 2 || (first === '' && !second)) return undefined;
  if (second === undefined) return { kind: 'token', system: undefined, code: first };
  return { kind: 'token', system: first === '' ? null : first, code: second === '' ? undefined : second };
}

function parseReferenceOperand(text: string, types: readonly string[]): ReferenceOperand | undefined {
  if (isId(text)) return { kind: 'reference', id: text, types };
  const reference = /^[a-z][a-z0-9+.-]*:[^|]*\|/i.test(text) ? parseCanonical(text) : parseReference(text);
  return reference !== undefined && canBeSearched(reference) ? { kind: 'reference', reference, types } : undefined;
}

/** Neither has a meaning outside of the resource or transaction that it stands in. */
function canBeSearched({ kind }: ParsedReference): boolean {
  return kind !== 'fragment' && kind !== 'conditional';
}

/** A number with its prefix, `eq` when there is none. */
function parseNumber(text: string): Extract<Operand, { kind: 'number' }> | undefined {
  const match = PREFIXED.exec(text);
  const range = match === null ? undefined : numberRange(match[2] ?? '');
  if (match === null || range === undefined) return undefined;
  return { kind: 'number', prefix: (match[1] ?? 'eq') as Prefix, ...range };
}

/** `number`, `number|system|code` or `number||code`. */
function parseQuantity(text: string): QuantityOperand | undefined {
  const [amount = '', system, code, ...rest] = splitEscaped(text, '|').map(unescapeValue);
  const number = parseNumber(amount);
  if (number === undefined || rest.length > 0 || (system !== undefined && !code)) return undefined;
  return { ...number, kind: 'quantity', system: system === '' ? undefined : system, code };
}

function parseComposite(components: readonly SearchComponent[], text: string): Operand | undefined {
  const parts = splitEscaped(text, '$');
  if (parts.length !== components.length) return undefined;
  const operands = components.map((component, i) =>
    parseOperand(component, undefined, component.targets, parts[i] ?? ''),
  );
  return operands.includes(undefined)
    ? undefined
    : { kind: 'composite', operands: operands.filter((operand) => operand !== undefined) };
}

/** `latitude|longitude[|distance[|unit]]` (http://hl7.org/fhir/R4/location.html#positional). */
function parseNear(text: string): NearOperand | undefined {
  const [first = '', second = '', third, unit = 'km', ...rest] = splitEscaped(text, '|').map(unescapeValue);
  const [latitude, longitude] = [numberRange(first)?.value, numberRange(second)?.value];
  const distance = third === undefined ? undefined : numberRange(third)?.value;
  if (latitude === undefined || longitude === undefined || rest.length > 0 || unit === '') return undefined;
  if (third !== undefined && (distance === undefined || distance < 0)) return undefined;
  if (Math.abs(latitude) > 90 || Math.abs(longitude) > 180) return undefined;
  return { kind: 'near', latitude, longitude, distance, unit };
}
