import type { Resource } from '@medplum/fhirtypes';
import type { SearchQuery } from '../../fhir/search/query.ts';
import type { SearchRegistry } from '../../fhir/search/registry.ts';
import { type SortKeys, sortKeysOf } from '../../sealing/blind-index/sort-keys.ts';

/**
 * What records are sorted by where a custom parameter is among it: envelopes were sealed before it was there, so the
 * records themselves are opened. Undefined where the envelopes tell.
 */
export function customSort(
  registry: SearchRegistry,
  { branches, control }: SearchQuery,
): ((resource: Resource) => SortKeys) | undefined {
  const parametersOf = (type: string) =>
    control.sort.flatMap(({ code }) => {
      const parameter = registry.searchParametersOf(type).get(code);
      return parameter?.institution === undefined ? [] : [parameter];
    });
  if (branches.every(({ type }) => type === undefined || parametersOf(type).length === 0)) return undefined;
  return (resource) =>
    sortKeysOf(
      parametersOf(resource.resourceType).map((parameter) => ({ parameter, values: parameter.values(resource) })),
    );
}
