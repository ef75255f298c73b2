import type { ElementDefinition, StructureDefinition } from '@medplum/fhirtypes';
import { MedSealError } from '../../errors.ts';
import { typeDefinition } from '../definitions/definitions.ts';
import { compileExpression } from '../fhirpath/fhirpath.ts';
import { readsOf } from '../fhirpath/types.ts';
import { withoutVersion } from '../terminology/expansion.ts';
import type { Discriminator, ElementRule, Invariant, Profile, Slice, Slicing } from './profile.ts';

/** One row of a differential with what is nested below it. */
interface Row {
  readonly id: string;
  readonly name: string;
  readonly definition: ElementDefinition | undefined;
  readonly children: Map<string, Row>;
  readonly slices: Map<string, Row>;
}

/**
 * Reads the differential of a profile on a type of R4.
 *
 * @throws MedSealError `invalid-resource` when it names what the type does not have, or uses what is not supported:
 *   discriminators of type `profile`, paths with functions
 */
export function readProfile(definition: StructureDefinition): Profile {
  const { url, type, differential } = definition;
  if (type === undefined || typeDefinition(type) === undefined) throw refused(definition, 'it has no type of R4');
  const root: Row = row(type, type, differential?.element[0]);
  for (const element of differential?.element.slice(1) ?? []) place(root, element, definition);
  try {
    return { url: url ?? '', type, root: ruleOf(root, [type]) };
  } catch (error) {
    throw error instanceof MedSealError ? refused(definition, error.message, error) : error;
  }
}

function row(id: string, name: string, definition: ElementDefinition | undefined): Row {
  return { id, name, definition, children: new Map(), slices: new Map() };
}

/** Puts a row where its id says; what is above it and has no row of its own is made up. */
function place(root: Row, element: ElementDefinition, definition: StructureDefinition): void {
  const [first, ...steps] = (element.id ?? element.path ?? '').split('.');
  if (first !== root.name || steps.length === 0) throw refused(definition, `${element.id} is not below ${root.name}`);
  let at = root;
  for (const [index, step] of steps.entries()) {
    const [bare = '', slice] = step.split(':');
    const name = bare.replace(/\[x\]$/, '');
    const isLast = index === steps.length - 1;
    at = descend(at.children, name, `${at.id}.${bare}`, isLast && slice === undefined ? element : undefined);
    if (slice !== undefined) at = descend(at.slices, slice, `${at.id}:${slice}`, isLast ? element : undefined, name);
  }
}

function descend(
  rows: Map<string, Row>,
  key: string,
  id: string,
  definition: ElementDefinition | undefined,
  name: string = key,
): Row {
  const known = rows.get(key);
  const found =
    known === undefined || (definition !== undefined && known.definition === undefined)
      ? { ...(known ?? row(id, name, undefined)), definition: definition ?? known?.definition }
      : known;
  rows.set(key, found);
  return found;
}

/** @param types what the element may be: those of R4, or what the profile leaves of them */
function ruleOf({ id, name, definition, children, slices }: Row, types: readonly string[]): ElementRule {
  const narrowed = definition?.type?.map(({ code }) => code ?? '').filter((code) => code !== '');
  const own = narrowed ?? types;
  const below = [...children.values()].map((child) => ruleOf(child, typesBelow(own, child)));
  return {
    name,
    id,
    min: definition?.min ?? 0,
    max: maximum(definition?.max),
    types: narrowed,
    targets: targetsOf(definition),
    profile: definition?.type?.flatMap((type) => type.profile ?? [])[0],
    fixed: memberOf(definition, 'fixed'),
    pattern: memberOf(definition, 'pattern'),
    valueSet: requiredSetOf(definition),
    constraints: (definition?.constraint ?? []).map((constraint) => invariant(constraint, own)),
    children: below,
    slicing: slices.size === 0 ? undefined : slicingOf(definition, id, slices, own),
  };
}

function typesBelow(types: readonly string[], { name, id }: Row): readonly string[] {
  const found = types.flatMap((type) => (readsOf(type, name) ?? []).map((read) => read.type));
  if (found.length > 0) return [...new Set(found)];
  throw new MedSealError('invalid-resource', `there is no ${id} in R4`);
}

function slicingOf(
  definition: ElementDefinition | undefined,
  id: string,
  rows: ReadonlyMap<string, Row>,
  types: readonly string[],
): Slicing {
  const slices = [...rows].map(([name, slice]): Slice => ({ name, rule: ruleOf(slice, types) }));
  // Extensions are sliced by their url, whether a profile says so or not.
  const isExtension = types.every((type) => type === 'Extension');
  const told = definition?.slicing?.discriminator ?? (isExtension ? [{ type: 'value' as const, path: 'url' }] : []);
  if (told.length === 0) throw new MedSealError('invalid-resource', `${id} has slices and nothing to tell them apart`);
  return { discriminators: told.map(discriminator), closed: definition?.slicing?.rules === 'closed', slices };
}

const PATH = /^(?:\$this|[A-Za-z]+(?:\.[A-Za-z]+)*)$/;

function discriminator({ type, path = '$this' }: { type?: string; path?: string }): Discriminator {
  const known = type === 'value' || type === 'pattern' || type === 'exists' || type === 'type';
  if (!known || !PATH.test(path)) {
    throw new MedSealError('invalid-resource', `a discriminator ${type} of ${path} is not supported`);
  }
  return { type, path: path === '$this' ? [] : path.split('.') };
}

function invariant(
  {
    key = '',
    severity = 'error',
    human = '',
    expression = 'true',
  }: NonNullable<ElementDefinition['constraint']>[number],
  types: readonly string[],
): Invariant {
  return { key, severity, human, expression: compileExpression(expression, ...types) };
}

/** The one member `fixed…` or `pattern…`, whatever its type. */
function memberOf(definition: ElementDefinition | undefined, prefix: 'fixed' | 'pattern'): unknown {
  const found = Object.entries(definition ?? {}).find(([name]) => name.startsWith(prefix));
  return found?.[1];
}

/** Types of R4: `http://hl7.org/fhir/StructureDefinition/Patient`. What a target conforms to is not looked up. */
function targetsOf(definition: ElementDefinition | undefined): ReadonlySet<string> | undefined {
  const profiles = definition?.type?.flatMap((type) => type.targetProfile ?? []) ?? [];
  if (profiles.length === 0) return undefined;
  return new Set(profiles.map((profile) => profile.slice(profile.lastIndexOf('/') + 1)));
}

function maximum(text: string | undefined): number {
  return text === undefined || text === '*' ? Number.POSITIVE_INFINITY : Number(text);
}

function requiredSetOf(definition: ElementDefinition | undefined): string | undefined {
  const { strength, valueSet } = definition?.binding ?? {};
  return strength === 'required' && valueSet !== undefined ? withoutVersion(valueSet) : undefined;
}

function refused(definition: StructureDefinition, why: string, cause?: unknown): MedSealError {
  return new MedSealError('invalid-resource', `Profile ${definition.url}: ${why}`, { cause });
}
