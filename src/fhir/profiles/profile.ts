import type { CompiledExpression } from '../fhirpath/fhirpath.ts';

/**
 * A profile (http://hl7.org/fhir/R4/profiling.html), read from a StructureDefinition's differential: only what it says
 * beyond R4 itself, which validation/ has checked before.
 */
export interface Profile {
  /** Canonical, without version. */
  readonly url: string;
  /** The type that it constrains. */
  readonly type: string;
  readonly root: ElementRule;
}

/** What a profile says of one element, wherever its parent is. */
export interface ElementRule {
  /** As FHIRPath says it: `value` for `value[x]`; the type's name at the root. */
  readonly name: string;
  /** How it is called in a message: `Patient.identifier:identityCard.system`. */
  readonly id: string;
  readonly min: number;
  /** Infinity for `*`. */
  readonly max: number;
  /** Of a choice, what it may be; undefined where the profile does not say. */
  readonly types: readonly string[] | undefined;
  /** Resource types that a reference may name; undefined where the profile does not say. */
  readonly targets: ReadonlySet<string> | undefined;
  /** Of an extension: the profile that it must follow. */
  readonly profile: string | undefined;
  readonly fixed: unknown;
  readonly pattern: unknown;
  /** Canonical of a value set whose binding is required. */
  readonly valueSet: string | undefined;
  readonly constraints: readonly Invariant[];
  readonly children: readonly ElementRule[];
  readonly slicing: Slicing | undefined;
}

export interface Invariant {
  readonly key: string;
  readonly severity: 'error' | 'warning';
  readonly human: string;
  readonly expression: CompiledExpression;
}

/** http://hl7.org/fhir/R4/profiling.html#slicing */
export interface Slicing {
  readonly discriminators: readonly Discriminator[];
  /** Whether an item of no slice is an error. */
  readonly closed: boolean;
  readonly slices: readonly Slice[];
}

export interface Discriminator {
  readonly type: 'value' | 'pattern' | 'exists' | 'type';
  /** Element names; none for `$this`. */
  readonly path: readonly string[];
}

export interface Slice {
  readonly name: string;
  readonly rule: ElementRule;
}

/** Profiles by canonical URL, without version. */
export type Profiles = ReadonlyMap<string, Profile>;

/** Whether a code is in a value set; undefined when that is not known here. */
export type CodeMembership = (valueSet: string, system: string | undefined, code: string) => boolean | undefined;
