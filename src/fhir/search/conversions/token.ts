import type { Coding, SearchValue } from '../values.ts';
import { arrayOf, objectOf, textOf } from './json.ts';

/** Token search by datatype: http://hl7.org/fhir/R4/search.html#token */

function pushToken(out: SearchValue[], system: unknown, code: unknown, text: unknown, types?: readonly Coding[]): void {
  out.push({ kind: 'token', system: textOf(system), code: textOf(code), text: textOf(text), types });
}

/** code, id, string, uri: they have no system of their own. */
export function tokenOfText(value: unknown, out: SearchValue[]): void {
  if (typeof value === 'string') pushToken(out, undefined, value, undefined);
}

export function tokenOfBoolean(value: unknown, out: SearchValue[]): void {
  if (typeof value === 'boolean') pushToken(out, undefined, String(value), undefined);
}

export function tokenOfCoding(value: unknown, out: SearchValue[]): void {
  const coding = objectOf(value);
  if (coding === undefined) return;
  if (coding.code === undefined && coding.system === undefined && coding.display === undefined) return;
  pushToken(out, coding.system, coding.code, coding.display);
}

export function tokenOfConcept(value: unknown, out: SearchValue[]): void {
  const concept = objectOf(value);
  if (concept === undefined) return;
  for (const coding of arrayOf(concept.coding)) tokenOfCoding(coding, out);
  if (typeof concept.text === 'string') pushToken(out, undefined, undefined, concept.text);
}

export function tokenOfIdentifier(value: unknown, out: SearchValue[]): void {
  const identifier = objectOf(value);
  if (identifier === undefined || (identifier.value === undefined && identifier.system === undefined)) return;
  const type = objectOf(identifier.type);
  const types = type === undefined ? undefined : arrayOf(type.coding).map(codingOf);
  pushToken(out, identifier.system, identifier.value, type?.text, types);
}

/** The system of a telephone number or address (phone, email, ...) is a code, not the system of the value. */
export function tokenOfContactPoint(value: unknown, out: SearchValue[]): void {
  tokenOfText(objectOf(value)?.value, out);
}

function codingOf(value: unknown): Coding {
  const coding = objectOf(value);
  return { system: textOf(coding?.system), code: textOf(coding?.code) };
}
