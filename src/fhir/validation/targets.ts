import { isResourceType } from '../definitions/definitions.ts';
import { parseReference } from '../references/reference.ts';

/**
 * Whether a Reference leads to one of these types, as far as it tells by itself: by its literal reference, or by
 * Reference.type (http://hl7.org/fhir/R4/references.html#Reference). What does not tell passes.
 */
export function leadsToOneOf(targets: ReadonlySet<string>, reference: unknown): boolean {
  const { reference: literal, type: told } = (reference ?? {}) as Told;
  // Nearly every one is `Type/id`, or a urn of the same transaction.
  if (typeof literal === 'string') {
    if (targets.has(beforeSlash(literal))) return true;
    if (told === undefined && literal.startsWith('urn:')) return true;
  }
  const type = toldType({ reference: literal, type: told });
  return type === undefined || targets.has(type);
}

interface Told {
  readonly reference?: unknown;
  readonly type?: unknown;
}

function beforeSlash(text: string): string {
  return text.slice(0, text.indexOf('/'));
}

function toldType({ reference: literal, type }: Told): string | undefined {
  const parsed = typeof literal === 'string' ? parseReference(literal) : undefined;
  if (parsed?.kind === 'relative' || parsed?.kind === 'absolute' || parsed?.kind === 'conditional') return parsed.type;
  return typeof type === 'string' && isResourceType(type) ? type : undefined;
}
