import type { Node } from '../fhirpath/fhirpath.ts';
import { readElement } from '../fhirpath/node.ts';

export interface Code {
  readonly system: string | undefined;
  readonly code: string;
}

/** The codes of what can be bound to a value set: code, uri, string, Coding, CodeableConcept, Quantity. */
export function codesOf(item: Node): readonly Code[] {
  if (typeof item.value === 'string') return [{ system: undefined, code: item.value }];
  if (item.type === 'CodeableConcept') return (readElement(item, 'coding', undefined) ?? []).flatMap(codesOf);
  const { system, code } = (item.value ?? {}) as { readonly system?: string; readonly code?: string };
  return code === undefined ? [] : [{ system, code }];
}
