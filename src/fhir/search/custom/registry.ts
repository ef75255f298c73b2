import { MedSealError } from '../../../errors.ts';
import { SEARCH_PARAMETERS, type SearchParameterDefinition } from '../../definitions/search-parameters.ts';
import { compileParameter, type SearchParameter } from '../parameters.ts';
import { type SearchRegistry, valuesBy } from '../registry.ts';
import type { SearchValue } from '../values.ts';

/** A custom parameter in force. */
export interface CustomParameter {
  readonly definition: SearchParameterDefinition;
  /** Whether all records are indexed by it. */
  readonly searchable: boolean;
}

/** R4's parameters and an institution's own: those that its records are indexed by, and those that may be searched by. */
export interface ExtendedRegistry {
  readonly indexed: SearchRegistry;
  readonly searched: SearchRegistry;
}

/** Among them are the parts of composites. */
const R4_BY_URL = new Map(SEARCH_PARAMETERS.map((definition) => [definition.url, definition]));
const NOTHING: readonly SearchValue[] = [];

/** Each type is compiled when it is first asked for. @throws MedSealError `invalid-expression`, then */
export function extendRegistry(
  base: SearchRegistry,
  institution: string,
  parameters: readonly CustomParameter[],
): ExtendedRegistry {
  const compiled = new Map<CustomParameter, Map<string, SearchParameter>>();
  const compile = (parameter: CustomParameter, type: string): SearchParameter => {
    const ofTypes = compiled.get(parameter) ?? new Map<string, SearchParameter>();
    compiled.set(parameter, ofTypes);
    const made = ofTypes.get(type) ?? customParameter(parameter.definition, type, institution);
    ofTypes.set(type, made);
    return made;
  };
  const pending = parameters.filter(({ searchable }) => !searchable);
  const layer = (own: readonly CustomParameter[]): SearchRegistry['searchParametersOf'] => {
    const byType = new Map<string, ReadonlyMap<string, SearchParameter>>();
    return (type) => {
      const known = byType.get(type);
      if (known !== undefined) return known;
      const added = own.filter(({ definition }) => definition.base.includes(type));
      const inherited = base.searchParametersOf(type);
      const all =
        added.length === 0
          ? inherited
          : new Map([...inherited, ...added.map((one) => [one.definition.code, compile(one, type)] as const)]);
      byType.set(type, all);
      return all;
    };
  };
  const registryOf = (own: readonly CustomParameter[]): SearchRegistry => {
    const searchParametersOf = layer(own);
    return {
      searchParametersOf,
      searchValuesOf: valuesBy(searchParametersOf),
      isIndexing: (type, code) =>
        pending.some(({ definition }) => definition.code === code && definition.base.includes(type)),
    };
  };
  return {
    indexed: registryOf(parameters),
    searched: registryOf(parameters.filter(({ searchable }) => searchable)),
  };
}

/** What it cannot be evaluated on, it finds nothing in: a write must not fail for what somebody wants to search by. */
function customParameter(definition: SearchParameterDefinition, type: string, institution: string): SearchParameter {
  const compiled = compileParameter(definition, type, R4_BY_URL);
  const evaluated = (evaluate: () => readonly SearchValue[]): readonly SearchValue[] => {
    try {
      return evaluate();
    } catch (error) {
      if (error instanceof MedSealError && error.code === 'invalid-expression') return NOTHING;
      throw error;
    }
  };
  return {
    ...compiled,
    institution,
    values: (resource) => evaluated(() => compiled.values(resource)),
    valuesIn: (context, environment) => evaluated(() => compiled.valuesIn(context, environment)),
  };
}
