import type { CompartmentDefinition, SearchParameter } from '@medplum/fhirtypes';
import type { SearchParameterDefinition } from './search-parameters.ts';

const STANDARDS_STATUS = 'http://hl7.org/fhir/StructureDefinition/structuredefinition-standards-status';

/**
 * The search parameters of the specification itself. HL7 marks these with a standards status; its examples and the
 * parameters over extensions have none.
 */
export function searchParameterTable(parameters: readonly SearchParameter[]): SearchParameterDefinition[] {
  return parameters
    .filter((parameter) => parameter.extension?.some((extension) => extension.url === STANDARDS_STATUS))
    .map(row)
    .sort((a, b) => (a.url < b.url ? -1 : 1));
}

function row(parameter: SearchParameter): SearchParameterDefinition {
  const { url = '', code = '', type, base = [], expression, target, comparator, modifier, chain } = parameter;
  const { multipleOr, multipleAnd, component } = parameter;
  if (type === undefined) throw new TypeError(`${url} has no type`);
  return {
    url,
    code,
    type,
    base: base.map(String),
    ...(expression === undefined ? {} : { expression: withOfType(expression) }),
    ...(target === undefined ? {} : { target: target.map(String) }),
    ...(multipleOr === undefined ? {} : { multipleOr }),
    ...(multipleAnd === undefined ? {} : { multipleAnd }),
    ...(comparator === undefined ? {} : { comparator }),
    ...(modifier === undefined ? {} : { modifier }),
    ...(chain === undefined ? {} : { chain }),
    ...(component === undefined
      ? {}
      : {
          component: component.map(({ definition = '', expression: part = '' }) => ({
            definition,
            expression: withOfType(part),
          })),
        }),
  };
}

/**
 * R4's expressions say `as` where a collection of several items must be filtered by type. FHIRPath's `as` is an error
 * on more than one item, so HL7 itself replaced it by `ofType` in R4B; the meaning is the same.
 */
function withOfType(expression: string): string {
  return expression.replace(/([\w.]+) as (\w+)/g, '$1.ofType($2)').replaceAll('.as(', '.ofType(');
}

/** Compartment → resource type → the parameters that place a resource of that type in the compartment. */
export function compartmentTable(
  definitions: readonly CompartmentDefinition[],
): Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> {
  const rows = definitions
    .filter((definition) => definition.id !== 'example')
    .map(({ code = '', resource = [] }) => {
      const members = resource.flatMap(({ code: type = '', param }) => (param === undefined ? [] : [[type, param]]));
      return [code, Object.fromEntries(members)] as const;
    });
  return Object.fromEntries(rows.sort(([a], [b]) => (a < b ? -1 : 1)));
}
