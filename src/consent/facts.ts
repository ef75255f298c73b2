import type { Coding, Effect, Interval } from './policy.ts';

/** What a record tells about itself, as far as consents can ask. Names are `{institution}/{Type}/{id}`. */
export interface RecordFacts {
  readonly institution: string;
  readonly type: string;
  readonly name: string;
  /** Everyone in whose compartment it lies; {@link UNKNOWN_PATIENT} for one who cannot be determined. */
  readonly patients: readonly string[];
  readonly types: Told<string>;
  readonly names: Told<string>;
  readonly profiles: Told<string>;
  /** Of the order of confidentiality; every other label is a tag. */
  readonly confidentiality: Told<RecordCoding>;
  readonly tags: Told<RecordCoding>;
  readonly codes: Told<RecordCoding>;
  /** From the earliest to the latest instant of the type's `date`; undefined when it has none. */
  readonly dates: Interval | undefined;
  readonly authors: Told<string>;
  /** What a search by a token parameter of its type would find. */
  codings(parameter: string): readonly RecordCoding[];
}

/** A code as a record bears it: the system may be missing. */
export type RecordCoding = Omit<Coding, 'system'> & { readonly system: string | undefined };

/**
 * What a record tells of one kind. "What a resource does not tell satisfies denies and never permits" (DESIGN §7), so
 * the two effects look at different things.
 */
export interface Told<T> {
  /** What holds of the whole record: all that a permit may rely on. */
  readonly certain: readonly T[];
  /** What holds of some part of it, or may hold, all that is certain included: what a deny looks at. */
  readonly possible: readonly T[];
  /** Something is left untold: it satisfies every deny that asks for this kind. */
  readonly open: boolean;
}

export const UNKNOWN_PATIENT = '?';

/** Whether a provision of this effect that asks for `wanted` is satisfied by what is told. */
export function satisfies<T>(told: Told<T>, effect: Effect, wanted: (one: T) => boolean): boolean {
  return effect === 'permit' ? told.certain.some(wanted) : told.open || told.possible.some(wanted);
}
