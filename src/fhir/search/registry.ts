import { isResourceType } from '../definitions/definitions.ts';
import { SEARCH_PARAMETERS, type SearchParameterDefinition } from '../definitions/search-parameters.ts';
import { Environment, resourceNode } from '../fhirpath/fhirpath.ts';
import { isSubtype } from '../fhirpath/types.ts';
import { compileParameter, type SearchParameter } from './parameters.ts';
import type { SearchValue } from './values.ts';

/** The search parameters that a server knows. */
export interface SearchRegistry {
  /**
   * By code, those of `Resource` and `DomainResource` included; those alone for `Resource`; none for what is no resource
   * type.
   */
  searchParametersOf(resourceType: string): ReadonlyMap<string, SearchParameter>;
  /** Whether there is such a parameter that cannot be searched by yet, because records are still being indexed. */
  isIndexing(resourceType: string, code: string): boolean;
  /** All that can be searched for in a resource: the parameters that find something, with what they find. */
  searchValuesOf(resource: { readonly resourceType: string }): readonly FoundValues[];
}

interface FoundValues {
  readonly parameter: SearchParameter;
  readonly values: readonly SearchValue[];
}

const NO_PARAMETERS: ReadonlyMap<string, SearchParameter> = new Map();

/**
 * R4 4.0.1 has the components of this one the wrong way round: the reference's expression is that of the code
 * (corrected in R5).
 */
const RELATIONSHIP = 'http://hl7.org/fhir/SearchParameter/DocumentReference-relationship';

/**
 * Makes a registry of R4's search parameters and those of `extra`; of several with the same code for a type the last
 * one counts. Each resource type is compiled when it is first asked for.
 *
 * `searchParametersOf` throws MedSealError `invalid-expression` for an extra parameter that does not compile.
 */
export function createSearchRegistry(extra: readonly SearchParameterDefinition[] = []): SearchRegistry {
  const definitions = [...SEARCH_PARAMETERS.map(corrected), ...extra];
  const byUrl = new Map(definitions.map((definition) => [definition.url, definition]));
  const compiled = new Map<string, ReadonlyMap<string, SearchParameter>>();
  const compileType = (type: string) =>
    new Map(
      definitions
        .filter(({ base }) => base.some((name) => isSubtype(type, name)))
        .map((definition) => [definition.code, compileParameter(definition, type, byUrl)]),
    );
  const searchParametersOf = (type: string) => {
    const known = compiled.get(type);
    if (known !== undefined) return known;
    if (!isResourceType(type) && type !== 'Resource') return NO_PARAMETERS;
    const parameters = compileType(type);
    compiled.set(type, parameters);
    return parameters;
  };
  return { searchParametersOf, searchValuesOf: valuesBy(searchParametersOf), isIndexing: () => false };
}

/** All that these parameters find in a resource. */
export function valuesBy(parametersOf: SearchRegistry['searchParametersOf']): SearchRegistry['searchValuesOf'] {
  return (resource) => {
    const context = resourceNode(resource);
    const environment = new Environment(context);
    const found: FoundValues[] = [];
    for (const parameter of parametersOf(resource.resourceType).values()) {
      const values = parameter.valuesIn(context, environment);
      if (values.length > 0) found.push({ parameter, values });
    }
    return found;
  };
}

function corrected(definition: SearchParameterDefinition): SearchParameterDefinition {
  const { url, component } = definition;
  if (url !== RELATIONSHIP || component === undefined) return definition;
  const expressions = component.map(({ expression }) => expression).reverse();
  return {
    ...definition,
    component: component.map((part, i) => ({ ...part, expression: expressions[i] ?? part.expression })),
  };
}
