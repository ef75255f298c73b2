import { isResourceType } from '../../definitions/definitions.ts';
import { isId, parseCanonical, parseReference } from '../../references/reference.ts';
import type { SearchValue } from '../values.ts';
import { objectOf, textOf } from './json.ts';

/** Reference search: http://hl7.org/fhir/R4/search.html#reference */

/** A display alone says nothing that could be searched for. */
export function referenceOfReference(value: unknown, out: SearchValue[]): void {
  const object = objectOf(value);
  if (object === undefined) return;
  const text = textOf(object.reference);
  const reference = text === undefined ? undefined : parseReference(text);
  const logical = objectOf(object.identifier);
  if (reference === undefined && logical === undefined) return;
  const identifier =
    logical === undefined ? undefined : { system: textOf(logical.system), code: textOf(logical.value) };
  out.push({ kind: 'reference', reference, identifier, type: textOf(object.type) });
}

/** canonical, and uri where a parameter takes it for a reference. */
export function referenceOfCanonical(value: unknown, out: SearchValue[]): void {
  if (typeof value === 'string') out.push({ kind: 'reference', reference: parseCanonical(value) });
}

/** A resource in the place of a reference: the first entry of a document or message Bundle. */
export function referenceOfResource(value: unknown, out: SearchValue[]): void {
  const resource = objectOf(value);
  const [type, id] = [textOf(resource?.resourceType), textOf(resource?.id)];
  if (type === undefined || id === undefined || !isResourceType(type) || !isId(id)) return;
  out.push({ kind: 'reference', reference: { kind: 'relative', type, id } });
}
