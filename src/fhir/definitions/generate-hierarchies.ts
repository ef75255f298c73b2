import type { CodeSystem, CodeSystemConcept } from '@medplum/fhirtypes';

/** Of each code the codes directly above it, by code system. */
export type HierarchyTable = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/**
 * The code systems with which something clinical is coded and that say that their order means "is a". Others have an
 * order too, of which no consent speaks: languages, name parts, time abbreviations.
 */
const PACKAGED = ['ActCode', 'EntityCode', 'ObservationValue', 'RoleCode', 'RouteOfAdministration', 'SpecimenType'].map(
  (name) => `http://terminology.hl7.org/CodeSystem/v3-${name}`,
);

export function hierarchyTable(systems: readonly CodeSystem[]): HierarchyTable {
  const found = systems.filter(
    ({ url, hierarchyMeaning }) => PACKAGED.includes(url ?? '') && hierarchyMeaning === 'is-a',
  );
  return Object.fromEntries(found.map(({ url = '', concept = [] }) => [url, parentsOf(concept)]));
}

function parentsOf(concepts: readonly CodeSystemConcept[]): Readonly<Record<string, readonly string[]>> {
  const parents = new Map<string, Set<string>>();
  const visit = (all: readonly CodeSystemConcept[], above: string | undefined): void => {
    for (const { code = '', concept = [], property = [] } of all) {
      const known = parents.get(code) ?? new Set<string>();
      if (above !== undefined) known.add(above);
      for (const { code: name, valueCode } of property) if (name === 'subsumedBy' && valueCode) known.add(valueCode);
      parents.set(code, known);
      visit(concept, code);
    }
  };
  visit(concepts, undefined);
  const entries = [...parents].filter(([, above]) => above.size > 0);
  return Object.fromEntries(entries.map(([code, above]) => [code, [...above].sort()]));
}
