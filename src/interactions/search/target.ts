import { hasScope, requireScope } from '../../consent/guarded-reader.ts';
import { MedSealError } from '../../errors.ts';
import {
  type CompartmentType,
  compartmentParameters,
  compartmentResourceTypes,
} from '../../fhir/definitions/compartments.ts';
import { isResourceType, RESOURCE_TYPES } from '../../fhir/definitions/definitions.ts';
import { isId } from '../../fhir/references/reference.ts';
import type { Criterion } from '../../repository/criteria.ts';
import type { RequestContext } from '../../request-context.ts';
import { parameterKey, referenceToken } from '../../sealing/blind-index/resource-tokens.ts';
import type { Token } from '../../sealing/blind-index/tokenizer.ts';
import type { Services } from '../services.ts';
import type { SearchBase } from './base.ts';

/** What is searched: one type, or (undefined) any; perhaps only what is in a compartment. */
export interface SearchTarget {
  readonly type: string | undefined;
  readonly compartment?: { readonly type: string; readonly id: string } | undefined;
}

/** http://hl7.org/fhir/R4/compartmentdefinition.html */
export const COMPARTMENT_TYPES = ['Patient', 'Encounter', 'RelatedPerson', 'Practitioner', 'Device'] as const;

/** @throws MedSealError `not-supported` for a URL that names nothing that can be searched */
export function checkTarget({ type, compartment }: SearchTarget): void {
  if (type !== undefined && !isResourceType(type)) throw noTarget('There is no such resource type or operation');
  if (compartment === undefined) return;
  const of = compartmentType(compartment.type);
  if (of === undefined || !isId(compartment.id)) throw noTarget('There is no such compartment');
  if (type === undefined || type === of || (type === 'AuditEvent' && of === 'Patient')) return;
  if (type === 'AuditEvent' || compartmentParameters(of, type).length === 0)
    throw noTarget(`A ${of} compartment holds no such resources`);
}

/** Below the base; the same for the same target. */
export function pathOf({ type, compartment }: SearchTarget): string {
  if (compartment === undefined) return type === undefined ? '' : `/${type}`;
  return `/${compartment.type}/${compartment.id}/${type ?? '*'}`;
}

/** A type that the token may search, for a search on any. @throws MedSealError `forbidden` */
export function searchableType(context: RequestContext): string {
  const found = RESOURCE_TYPES.find((type) => hasScope(context, type, 's'));
  if (found === undefined) requireScope(context, 'Patient', 's');
  return found ?? 'Patient';
}

/** Being in the compartment, for resources of `type`, or of any. */
export function membership(
  services: Pick<Services, 'registry' | 'tokenizer' | 'sourcesOf' | 'names'>,
  base: SearchBase,
  { compartment }: SearchTarget,
  type: string | undefined,
): readonly Criterion[] {
  const of = compartmentType(compartment?.type);
  if (compartment === undefined || of === undefined) return [];
  const { names } = services;
  const idTokens = base.institutions.map((institution) => names.idToken(names.name(institution, of, compartment.id)));
  const members = type === undefined ? compartmentResourceTypes(of) : [type];
  const referring: Criterion = { kind: 'some', tokens: compartmentTokens(services, of, members, idTokens) };
  // What a compartment is of is in it.
  if (type !== undefined && type !== of) return [referring];
  return [{ kind: 'any', of: [referring, { kind: 'ids', idTokens }] }];
}

/** One for each parameter that places a resource of these types in the compartment: whoever bears one is in it. */
export function compartmentTokens(
  { registry, sourcesOf, tokenizer }: Pick<Services, 'registry' | 'tokenizer' | 'sourcesOf'>,
  of: CompartmentType,
  members: readonly string[],
  idTokens: readonly string[],
): readonly Token[] {
  const tokens = members.flatMap((member) =>
    compartmentParameters(of, member)
      .map((code) => registry.searchParametersOf(member).get(code))
      .filter((parameter) => parameter !== undefined)
      .flatMap((parameter) => sourcesOf(parameter))
      .filter(({ target }) => target === undefined || target === of)
      .map(({ code }) => parameterKey({ base: member, code }))
      .flatMap((key) => idTokens.map((idToken) => referenceToken(tokenizer, key, idToken))),
  );
  return [...new Set(tokens)];
}

function compartmentType(name: string | undefined): CompartmentType | undefined {
  return COMPARTMENT_TYPES.find((one) => one === name);
}

function noTarget(message: string): MedSealError {
  return new MedSealError('not-supported', message);
}
