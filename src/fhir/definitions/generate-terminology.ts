import type { CodeSystem, ValueSet } from '@medplum/fhirtypes';
import { MedSealError } from '../../errors.ts';
import { codeSystemContent, valueSetContent } from '../terminology/content.ts';
import {
  type CodeSystemContent,
  type Composition,
  expand,
  type Terminology,
  type ValueSetContent,
  withoutVersion,
} from '../terminology/expansion.ts';
import type { TypeTable } from './generate-types.ts';

export interface TerminologyTable {
  readonly codeSystems: Readonly<Record<string, CodeSystemContent>>;
  readonly valueSets: Readonly<Record<string, ValueSetContent>>;
}

/** HL7's code systems and value sets of R4, without what $expand and $validate-code do not need. */
export function terminologyTable(systems: readonly CodeSystem[], sets: readonly ValueSet[]): TerminologyTable {
  return {
    codeSystems: byUrl(systems, codeSystemContent),
    valueSets: byUrl(
      sets.filter(({ compose }) => compose !== undefined),
      valueSetContent,
    ),
  };
}

function byUrl<R extends { readonly url?: string | undefined }, T>(
  all: readonly R[],
  row: (one: R) => T,
): Record<string, T> {
  const rows = all.flatMap((one): [string, T][] => (one.url === undefined ? [] : [[one.url, row(one)]]));
  return Object.fromEntries(rows.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Of each value set that an element is bound to by `required`: its codes by system; none of those that cannot be told. */
export type RequiredCodes = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

export function requiredCodes(types: TypeTable, { codeSystems, valueSets }: TerminologyTable): RequiredCodes {
  const terminology: Terminology = { codeSystem: (url) => codeSystems[url], valueSet: (url) => valueSets[url] };
  const urls = Object.values(types).flatMap(({ elements }) =>
    Object.values(elements).flatMap(({ binding }) =>
      binding?.strength === 'required' ? [withoutVersion(binding.valueSet)] : [],
    ),
  );
  const rows = [...new Set(urls)].sort().flatMap((url) => {
    const compose = valueSets[url];
    const codes = compose === undefined ? undefined : codesOf(terminology, compose);
    return codes === undefined ? [] : [[url, codes] as const];
  });
  return Object.fromEntries(rows);
}

function codesOf(terminology: Terminology, compose: Composition): Record<string, string[]> | undefined {
  try {
    const systems: Record<string, string[]> = {};
    for (const { system, code } of expand(terminology, compose)) {
      systems[system] ??= [];
      systems[system].push(code);
    }
    return systems;
  } catch (error) {
    // Currencies, media types, units: codes of others, which are too many or not HL7's to publish.
    if (error instanceof MedSealError && error.code === 'terminology-not-available') return undefined;
    throw error;
  }
}
