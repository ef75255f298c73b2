import type { SearchValue } from '../values.ts';
import { arrayOf, objectOf } from './json.ts';

/** String search by datatype: http://hl7.org/fhir/R4/search.html#string */

const NAME_PARTS = ['family', 'given', 'prefix', 'suffix', 'text'];
const ADDRESS_PARTS = ['line', 'city', 'district', 'state', 'postalCode', 'country', 'text'];

export function stringOfText(value: unknown, out: SearchValue[]): void {
  if (typeof value === 'string') out.push({ kind: 'string', text: value });
}

/** "Any of the string fields in the HumanName". */
export function stringOfName(value: unknown, out: SearchValue[]): void {
  stringsOfParts(value, NAME_PARTS, out);
}

export function stringOfAddress(value: unknown, out: SearchValue[]): void {
  stringsOfParts(value, ADDRESS_PARTS, out);
}

function stringsOfParts(value: unknown, parts: readonly string[], out: SearchValue[]): void {
  const object = objectOf(value);
  for (const part of parts) {
    const content = object?.[part];
    if (typeof content === 'string') stringOfText(content, out);
    else for (const item of arrayOf(content)) stringOfText(item, out);
  }
}
