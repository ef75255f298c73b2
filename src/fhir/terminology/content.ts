import type { CodeSystem, CodeSystemConcept, ValueSet, ValueSetComposeInclude } from '@medplum/fhirtypes';
import type { CodeSystemContent, Composition, Concept, Inclusion, ValueSetContent } from './expansion.ts';
import type { PackagedTerminology } from './packaged.ts';

/** What of a CodeSystem decides about its codes. */
export function codeSystemContent({ id = '', version, content, concept }: CodeSystem): CodeSystemContent {
  return {
    id,
    ...(version === undefined ? {} : { version }),
    complete: content === 'complete',
    concepts: conceptsOf(concept),
  };
}

function conceptsOf(concepts: readonly CodeSystemConcept[] = []): readonly Concept[] {
  return concepts.map(({ code = '', display = '', concept }) =>
    concept === undefined ? [code, display] : [code, display, conceptsOf(concept)],
  );
}

export function valueSetContent({ id = '', version, status = 'unknown', compose }: ValueSet): ValueSetContent {
  return { id, status, ...(version === undefined ? {} : { version }), ...compositionOf(compose) };
}

/** What of ValueSet.compose decides about its codes (http://hl7.org/fhir/R4/valueset.html#compositions). */
export function compositionOf(compose: ValueSet['compose']): Composition {
  return {
    include: (compose?.include ?? []).map(inclusionOf),
    ...(compose?.exclude === undefined ? {} : { exclude: compose.exclude.map(inclusionOf) }),
  };
}

function inclusionOf({ system, concept, filter, valueSet }: ValueSetComposeInclude): Inclusion {
  return {
    ...(system === undefined ? {} : { system }),
    ...(concept === undefined
      ? {}
      : { concept: concept.map(({ code = '', display }) => (display === undefined ? { code } : { code, display })) }),
    ...(filter === undefined
      ? {}
      : { filter: filter.map(({ property = '', op = '', value = '' }) => ({ property, op, value })) }),
    ...(valueSet === undefined ? {} : { valueSet }),
  };
}

/** What these resources tell, by URL; a value set that does not say what it is made of is left out. */
export function terminologyOf(systems: readonly CodeSystem[], sets: readonly ValueSet[]): PackagedTerminology {
  const codeSystems = new Map(systems.map((one) => [one.url, codeSystemContent(one)]));
  const told = sets.filter(({ compose }) => compose !== undefined);
  const valueSets = new Map(told.map((one) => [one.url, valueSetContent(one)]));
  return { codeSystem: (url) => codeSystems.get(url), valueSet: (url) => valueSets.get(url) };
}
