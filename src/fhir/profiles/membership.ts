import type { CodeSystem, CodeSystemConcept, ValueSet, ValueSetComposeInclude } from '@medplum/fhirtypes';
import type { CodeMembership } from './profile.ts';

/**
 * Membership in value sets that are told by their content: whole code systems of the package, listed concepts, other
 * value sets of the package (http://hl7.org/fhir/R4/valueset.html#compositions). What cannot be told is undefined.
 */
export function packagedMembership(valueSets: readonly ValueSet[], codeSystems: readonly CodeSystem[]): CodeMembership {
  const sets = new Map(valueSets.map((set) => [set.url, set]));
  const systems = new Map(codeSystems.map(({ url, concept = [] }) => [url, new Set(concept.flatMap(codesBelow))]));

  function includes(part: ValueSetComposeInclude, system: string | undefined, code: string): boolean | undefined {
    if (part.filter !== undefined) return undefined;
    const ofSets = (part.valueSet ?? []).map((url) => isMember(url, system, code));
    if (ofSets.includes(false)) return false;
    if (ofSets.includes(undefined)) return undefined;
    if (part.system === undefined) return ofSets.length > 0;
    // A bare code is of whichever system the set draws on.
    if (system !== undefined && system !== part.system) return false;
    if (part.concept !== undefined) return part.concept.some((concept) => concept.code === code);
    return systems.get(part.system)?.has(code);
  }

  function isMember(valueSet: string, system: string | undefined, code: string): boolean | undefined {
    const compose = sets.get(valueSet.replace(/\|.*$/, ''))?.compose;
    if (compose === undefined) return undefined;
    const excluded = (compose.exclude ?? []).map((part) => includes(part, system, code));
    if (excluded.includes(true)) return false;
    const included = (compose.include ?? []).map((part) => includes(part, system, code));
    if (included.includes(true)) return excluded.includes(undefined) ? undefined : true;
    return included.includes(undefined) ? undefined : false;
  }
  return isMember;
}

function codesBelow({ code, concept = [] }: CodeSystemConcept): readonly string[] {
  return [...(code === undefined ? [] : [code]), ...concept.flatMap(codesBelow)];
}
