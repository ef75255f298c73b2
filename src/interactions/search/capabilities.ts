import type { CapabilityStatementRestResource } from '@medplum/fhirtypes';
import { RESOURCE_TYPES } from '../../fhir/definitions/definitions.ts';
import type { SearchParameter } from '../../fhir/search/parameters.ts';
import type { SearchRegistry } from '../../fhir/search/registry.ts';
import { isAnswered, modifiersOf } from '../../repository/search-criteria.ts';
import { TRAIL_PARAMETERS } from '../audit-event/match.ts';

/** What a CapabilityStatement tells of searching one type. */
export type SearchCapabilities = Pick<
  CapabilityStatementRestResource,
  'searchParam' | 'searchInclude' | 'searchRevInclude'
>;

const ANY_TARGET = 'Resource';
/** The access trail is no part of the index: nothing is included from it. */
const TRAIL = 'AuditEvent';

/** By type, from the same tables that answer (http://hl7.org/fhir/R4/capabilitystatement.html). */
export function searchCapabilities(registry: SearchRegistry): ReadonlyMap<string, SearchCapabilities> {
  const references = RESOURCE_TYPES.filter((type) => type !== TRAIL).flatMap((type) =>
    answeredOf(registry, type).filter((parameter) => parameter.type === 'reference'),
  );
  return new Map(
    RESOURCE_TYPES.map((type) => {
      const searchParam = answeredOf(registry, type).map(tell);
      if (type === TRAIL) return [type, { searchParam }];
      const own = references.filter(({ base }) => base === type).map(nameOf);
      const others = references.filter((parameter) => leadsTo(parameter, type)).map(nameOf);
      return [
        type,
        {
          searchParam,
          ...(own.length === 0 ? {} : { searchInclude: ['*', `${type}:*`, ...own] }),
          searchRevInclude: ['*', ...others],
        },
      ];
    }),
  );
}

function answeredOf(registry: SearchRegistry, type: string): readonly SearchParameter[] {
  const all = [...registry.searchParametersOf(type).values()];
  return all.filter((parameter) => (type === TRAIL ? TRAIL_PARAMETERS.has(parameter.code) : isAnswered(parameter)));
}

function tell(parameter: SearchParameter): NonNullable<SearchCapabilities['searchParam']>[number] {
  const { code, type, url, base } = parameter;
  const modifiers = base === TRAIL ? [] : modifiersOf(parameter);
  return {
    name: code,
    definition: url,
    type: type as NonNullable<SearchCapabilities['searchParam']>[number]['type'],
    ...(modifiers.length === 0 ? {} : { documentation: `Modifiers: ${modifiers.map((one) => `:${one}`).join(', ')}` }),
  };
}

function nameOf({ base, code }: SearchParameter): string {
  return `${base}:${code}`;
}

function leadsTo({ targets }: SearchParameter, type: string): boolean {
  return targets.length === 0 || targets.includes(ANY_TARGET) || targets.includes(type);
}
