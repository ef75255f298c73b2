import type { SearchParameterDefinition } from '../definitions/search-parameters.ts';
import {
  type CompiledExpression,
  compileExpression,
  Environment,
  type Node,
  resourceNode,
} from '../fhirpath/fhirpath.ts';
import { type Conversion, conversionOf, type SearchParameterType } from './conversions/table.ts';
import { targetsOf } from './targets.ts';
import type { CompositeValue, SearchValue } from './values.ts';

/** A search parameter as it applies to one resource type. */
export interface SearchParameter {
  /** What a client writes: `birthdate`, `_lastUpdated`. */
  readonly code: string;
  readonly type: SearchParameterType;
  /** The resource type it was compiled for. */
  readonly base: string;
  readonly url: string;
  /** Of a custom one: the institution whose base knows it; other bases may have another of the same code. */
  readonly institution?: string;
  /** Of a reference: the types that it may lead to; none given means any. */
  readonly targets: readonly string[];
  /** Of a composite: its parts, in order. */
  readonly components?: readonly SearchComponent[];
  /** What the parameter finds in a resource of its type; duplicates are possible. */
  values(resource: object): readonly SearchValue[];
  /** As `values`, for a caller that evaluates several parameters on one resource. */
  valuesIn(context: Node, environment: Environment): readonly SearchValue[];
}

export interface SearchComponent {
  /** Of the parameter that finds at least what this part does, in the whole resource. */
  readonly definition: string;
  readonly type: SearchParameterType;
  readonly targets: readonly string[];
}

/** From one node to search values, appended. */
type Extraction = (context: Node, environment: Environment, out: SearchValue[]) => void;

const NONE: readonly SearchValue[] = [];

/**
 * Compiles a definition for one resource type. `definitions` finds the components of a composite by URL.
 *
 * @throws MedSealError `invalid-expression`
 */
export function compileParameter(
  definition: SearchParameterDefinition,
  base: string,
  definitions: ReadonlyMap<string, SearchParameterDefinition>,
): SearchParameter {
  const { code, type, url, expression } = definition;
  const targets = type === 'reference' ? targetsOf(definition, base) : [];
  // `_text`, `_content` and `_query` look at the whole resource, or at nothing.
  const path = expression === undefined ? undefined : compileExpression(expression, base);
  const parts = (definition.component ?? []).map((component) => {
    const part = definitions.get(component.definition);
    const expressionOfPart = compileExpression(component.expression, ...(path?.types ?? []));
    const partType = part?.type ?? 'special';
    return {
      definition: component.definition,
      type: partType,
      targets: part?.target ?? [],
      extract: extraction(expressionOfPart, partType, part?.target ?? []),
    };
  });
  const extract =
    path === undefined ? undefined : parts.length > 0 ? composition(path, parts) : extraction(path, type, targets);
  const valuesIn = (context: Node, environment: Environment) => {
    if (extract === undefined) return NONE;
    const out: SearchValue[] = [];
    extract(context, environment, out);
    return out;
  };
  return {
    code,
    type,
    base,
    url,
    targets,
    ...(parts.length === 0
      ? {}
      : {
          components: parts.map(({ definition: url, type: kind, targets: to }) => ({
            definition: url,
            type: kind,
            targets: to,
          })),
        }),
    values: (resource) => {
      const context = resourceNode(resource);
      return valuesIn(context, new Environment(context));
    },
    valuesIn,
  };
}

function extraction(expression: CompiledExpression, type: SearchParameterType, targets: readonly string[]): Extraction {
  const conversions = new Map<string, Conversion | undefined>();
  return (context, environment, out) => {
    for (const item of expression.evaluate(context, environment)) {
      let conversion = conversions.get(item.type);
      if (conversion === undefined && !conversions.has(item.type)) {
        conversion = conversionOf(type, item.type, targets);
        conversions.set(item.type, conversion);
      }
      conversion?.(item.value, out);
    }
  };
}

/** One value per element of a composite, with what each part finds there. An element that lacks a part gives none. */
function composition(path: CompiledExpression, parts: readonly { extract: Extraction }[]): Extraction {
  return (context, environment, out) => {
    for (const item of path.evaluate(context, environment)) {
      const components: SearchValue[][] = [];
      for (const part of parts) {
        const values: SearchValue[] = [];
        part.extract(item, environment, values);
        if (values.length === 0) break;
        components.push(values);
      }
      const value: CompositeValue = { kind: 'composite', components };
      if (components.length === parts.length) out.push(value);
    }
  };
}
