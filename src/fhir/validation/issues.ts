import type { ErrorObject } from 'ajv';
import type { Issue } from '../../errors.ts';
import { propertyNames, typeDefinition } from '../definitions/definitions.ts';
import { requiredCodesOf } from './bindings.ts';
import type { Problem } from './elements.ts';
import { primitiveNamed } from './keywords.ts';
import { locate, type Place } from './locate.ts';

/** What a finding says: a FHIR issue type, the rest of a sentence, and the element when it is not the place itself. */
interface Finding {
  readonly code: 'structure' | 'required' | 'value' | 'code-invalid';
  readonly diagnostics: string;
  readonly expression?: string;
}

const PLAIN_NAME = /^_?[A-Za-z][A-Za-z0-9]{0,63}$/;

/**
 * What ajv found in a resource, as issues: each a sentence that names the element, and never a value.
 *
 * @param root the FHIRPath of the resource itself, such as `Observation` or `Bundle.entry[3].resource`
 */
export function issuesOf(errors: readonly ErrorObject[], resource: unknown, type: string, root: string): Issue[] {
  const issues = errors.map((error) => {
    const place = locate(resource, type, root, error.instancePath);
    const { code, diagnostics, expression = place.expression } = findingOf(error, place);
    return { severity: 'error', code, diagnostics, expression } as const;
  });
  const distinct = new Map(issues.map((issue) => [`${issue.expression} ${issue.diagnostics}`, issue]));
  return [...distinct.values()];
}

function findingOf(error: ErrorObject, place: Place): Finding {
  // A number in its written form (see json/decimals.ts) passes for an object with ajv.
  if (JSON.isRawJSON(place.value) && !error.keyword.includes('Primitive')) return notAnObject(place);
  switch (error.keyword) {
    case 'type':
      return error.params.type === 'array' ? notAnArray(place) : notAnObject(place);
    case 'minItems':
      return structure(`${named(place)} must not be an empty array`);
    case 'minProperties':
      return structure(`${named(place)} must not be an empty object`);
    case 'additionalProperties':
      return unknownProperty(place, String(error.params.additionalProperty));
    case 'fhirPrimitive':
    case 'fhirNullablePrimitive':
      return notThatPrimitive(place);
    case 'fhirCode':
      return notOfTheBinding(place, 'must be');
    case 'fhirConcept':
      return notOfTheBinding(place, 'must have a coding that is');
    case 'fhirTargets':
      return wrongTarget(place);
    default:
      return problemFinding(error.params as Problem, place);
  }
}

function structure(diagnostics: string): Finding {
  return { code: 'structure', diagnostics };
}

/** The element and, where JSON names it otherwise, the property: `Observation.value (valueQuantity)`. */
function named({ expression, property, element }: Place): string {
  return element === undefined || property === element.name ? expression : `${expression} (${property})`;
}

function notAnArray(place: Place): Finding {
  if (place.value === null) return structure(`${named(place)} must not be null`);
  return structure(`${named(place)} must be an array, since the element may repeat`);
}

function notAnObject(place: Place): Finding {
  if (place.value === null) return structure(`${named(place)} must not be null`);
  if (Array.isArray(place.value)) return structure(`${named(place)} must be a single object, not an array`);
  return structure(`${named(place)} must be an object of type ${place.type}`);
}

function notThatPrimitive(place: Place): Finding {
  const { element, type, value } = place;
  const isLiteral = element?.name === 'reference' && typeDefinition('Reference')?.elements.get('reference') === element;
  const primitive = primitiveNamed(isLiteral ? 'Reference.reference' : type);
  if (value === null) return structure(`${named(place)} must not be null`);
  if (Array.isArray(value)) return structure(`${named(place)} must be a single value, not an array`);
  const given = JSON.isRawJSON(value) ? 'number' : typeof value;
  if (given !== primitive.json) {
    const kind = type === primitive.json ? '' : ` (${type})`;
    return structure(`${named(place)} must be a JSON ${primitive.json}${kind}`);
  }
  if (value === '') return { code: 'value', diagnostics: `${named(place)} must not be empty` };
  return { code: 'value', diagnostics: `${named(place)} must be ${primitive.form}` };
}

/** As many codes as a person reads. */
const MOST_CODES_TOLD = 16;

function notOfTheBinding(place: Place, must: string): Finding {
  const { valueSet = '' } = place.element?.binding ?? {};
  const codes = [...(requiredCodesOf(valueSet)?.codes ?? [])];
  const allowed =
    codes.length <= MOST_CODES_TOLD ? `one of ${codes.join(', ')}` : `a code of ${valueSet.split('|')[0]}`;
  return { code: 'code-invalid', diagnostics: `${named(place)} ${must} ${allowed}` };
}

function wrongTarget(place: Place): Finding {
  const targets = place.element?.targets ?? [];
  return { code: 'value', diagnostics: `${named(place)} must refer to ${targets.join(' or ')}` };
}

function unknownProperty(place: Place, property: string): Finding {
  const { expression, type } = place;
  if (!PLAIN_NAME.test(property)) return structure(`${expression} has a property that ${type} does not have`);
  const choice = typeDefinition(type)?.elements.get(property);
  const hint = choice?.choice ? `: write ${[...propertyNames(choice).keys()].slice(0, 3).join(', ')} or alike` : '';
  return {
    code: 'structure',
    diagnostics: `${expression}.${property} is not an element of ${type}${hint}`,
    expression: `${expression}.${property}`,
  };
}

function problemFinding(problem: Problem, place: Place): Finding {
  const { expression, type } = place;
  switch (problem.problem) {
    case 'required':
      return missing(place, problem.element);
    case 'choice':
      return {
        code: 'structure',
        diagnostics: `${expression}.${problem.element} must have one type only, not both ${problem.other} and ${problem.property}`,
        expression: `${expression}.${problem.element}`,
      };
    case 'null':
      return {
        code: 'structure',
        diagnostics: `${expression}.${problem.property}[${problem.index}] has neither a value nor an extension in _${problem.property}`,
        expression: `${expression}.${problem.property}[${problem.index}]`,
      };
    case 'resourceType':
      return structure(`${expression} must be a resource with a resourceType of FHIR R4`);
    case 'contained':
      return {
        code: 'structure',
        diagnostics: `${expression}.contained is not allowed: a contained ${type} must not contain resources itself (dom-2)`,
        expression: `${expression}.contained`,
      };
  }
}

function missing({ expression, type }: Place, name: string): Finding {
  const element = typeDefinition(type)?.elements.get(name);
  const cardinality = `${element?.min ?? 1}..${element?.max === Number.POSITIVE_INFINITY ? '*' : 1}`;
  const choices = element?.choice ? `: one of ${[...propertyNames(element).keys()].join(', ')}` : '';
  return {
    code: 'required',
    diagnostics: `${expression}.${name} is required (${cardinality})${choices}`,
    expression: `${expression}.${name}`,
  };
}
