import { matchesNumber, matchesQuantity } from './quantities.ts';
import type { Criterion, DateOperand, Modifier, Operand, ReferenceOperand, TokenOperand } from './query.ts';
import { normalise } from './strings.ts';
import type { CompositeValue, DateValue, ReferenceValue, SearchValue, TokenValue } from './values.ts';

/**
 * Decides a criterion on an opened resource, for what the blind index answers only as a superset: long texts, parts of
 * texts, times finer than a day, numbers and quantities, and what belongs together in a composite.
 */
export function matchesResource(criterion: Criterion, resource: object): boolean {
  if (criterion.kind !== 'match') return true;
  const { parameter, modifier, operands } = criterion;
  const values = parameter.values(resource);
  return operands.some((operand) => values.some((value) => matchesValue(operand, value, modifier)));
}

function matchesValue(operand: Operand, value: SearchValue, modifier: Modifier | undefined): boolean {
  switch (operand.kind) {
    case 'string':
      return value.kind === 'string' && matchesText(operand.text, value.text, modifier);
    case 'text':
      return value.kind === 'token' && value.text !== undefined && matchesText(operand.text, value.text, undefined);
    case 'uri':
      return value.kind === 'uri' && value.value === operand.uri;
    case 'date':
      return value.kind === 'date' && matchesDate(operand, value);
    case 'number':
      return value.kind === 'number' && matchesNumber(operand, value);
    case 'quantity':
      return value.kind === 'quantity' && matchesQuantity(operand, value);
    case 'token':
      return value.kind === 'token' && matchesToken(operand, value);
    case 'reference':
      return value.kind === 'reference' && matchesReference(operand, value);
    case 'composite':
      return value.kind === 'composite' && matchesComposite(operand, value);
    default:
      return false;
  }
}

/** Begins with, unless another way is asked for. http://hl7.org/fhir/R4/search.html#string */
function matchesText(wanted: string, text: string, modifier: Modifier | undefined): boolean {
  if (modifier === 'exact') return text === wanted;
  const [whole, part] = [normalise(text), normalise(wanted)];
  // Punctuation alone asks for nothing.
  if (part === '') return false;
  return modifier === 'contains' ? whole.includes(part) : whole.startsWith(part);
}

function matchesToken({ system, code }: TokenOperand, value: TokenValue): boolean {
  if (code !== undefined && value.code !== code) return false;
  return system === undefined || (value.system ?? null) === system;
}

/** Which base a reference is relative to is settled by the index; here it is only which of several belongs to the rest. */
function matchesReference({ id, reference, types }: ReferenceOperand, value: ReferenceValue): boolean {
  const given = value.reference;
  if (given === undefined) return false;
  if (id !== undefined) {
    return 'id' in given && given.id === id && 'type' in given && (types.length === 0 || types.includes(given.type));
  }
  if (reference === undefined) return false;
  if ('type' in reference && 'id' in reference && 'type' in given && 'id' in given) {
    return reference.type === given.type && reference.id === given.id;
  }
  return JSON.stringify(reference) === JSON.stringify(given);
}

/** In one element each part must match. http://hl7.org/fhir/R4/search.html#composite */
function matchesComposite(
  { operands }: Extract<Operand, { kind: 'composite' }>,
  { components }: CompositeValue,
): boolean {
  return operands.every((operand, index) =>
    (components[index] ?? []).some((value) => matchesValue(operand, value, undefined)),
  );
}

/** Both are half-open ranges of epoch milliseconds. http://hl7.org/fhir/R4/search.html#prefix */
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
