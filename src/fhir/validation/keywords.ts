import { _, type Ajv, type ErrorObject, type KeywordCxt, type ValidateFunction } from 'ajv';
import { invariant } from '../../errors.ts';
import { isResourceType } from '../definitions/definitions.ts';
import { conceptIsOf, requiredCodesOf } from './bindings.ts';
import { type Problem, problemsOf } from './elements.ts';
import { LITERAL_REFERENCE, PRIMITIVES, type Primitive } from './primitives.ts';
import type { ElementRules } from './schema.ts';
import { leadsToOneOf } from './targets.ts';

/** The validator of a type, compiled when it is first asked for. */
export type TypeValidators = (type: string) => ValidateFunction;

type Context = Parameters<ValidateFunction>[1];

/** A keyword's function: ajv looks for its errors on the function itself, right after the call. */
interface KeywordFunction {
  (data: unknown, context?: Context): boolean;
  errors?: Partial<ErrorObject>[];
}

/** Adds the keywords that schema.ts uses beyond JSON Schema's own. */
export function addKeywords(ajv: Ajv, validators: TypeValidators): void {
  ajv.addKeyword({ keyword: 'fhirPrimitive', code: (cxt) => passPrimitive(cxt, false) });
  ajv.addKeyword({ keyword: 'fhirNullablePrimitive', code: (cxt) => passPrimitive(cxt, true) });
  ajv.addKeyword({ keyword: 'fhirCode', type: 'string', code: passCode });
  ajv.addKeyword({ keyword: 'fhirConcept', type: 'object', code: passConcept });
  ajv.addKeyword({ keyword: 'fhirTargets', type: 'object', code: passTargets });
  const withOwnErrors = { type: 'object', errors: 'full' } as const;
  ajv.addKeyword({ keyword: 'fhirType', ...withOwnErrors, compile: (type: string) => typeKeyword(type, validators) });
  ajv.addKeyword({ keyword: 'fhirResource', ...withOwnErrors, compile: (place) => resourceKeyword(place, validators) });
  ajv.addKeyword({ keyword: 'fhirElements', ...withOwnErrors, compile: elementsKeyword });
}

/** The primitive that the keyword fhirPrimitive names. */
export function primitiveNamed(name: string): Primitive {
  const primitive = name === 'Reference.reference' ? LITERAL_REFERENCE : PRIMITIVES.get(name);
  invariant(primitive, `There is no primitive ${name}`);
  return primitive;
}

function passPrimitive(cxt: KeywordCxt, nullable: boolean): void {
  const accepts = cxt.gen.scopeValue('func', { ref: primitiveNamed(cxt.schema).accepts });
  cxt.pass(nullable ? _`${cxt.data} === null || ${accepts}(${cxt.data})` : _`${accepts}(${cxt.data})`);
}

/** What is no code at all has been told of already. */
function passCode(cxt: KeywordCxt): void {
  const required = requiredCodesOf(cxt.schema);
  invariant(required, `There are no codes of ${cxt.schema}`);
  const { accepts } = primitiveNamed('code');
  passBy(cxt, (value) => required.codes.has(String(value)) || !accepts(value));
}

function passConcept(cxt: KeywordCxt): void {
  const required = requiredCodesOf(cxt.schema);
  invariant(required, `There are no codes of ${cxt.schema}`);
  passBy(cxt, (value) => conceptIsOf(required, value));
}

function passTargets(cxt: KeywordCxt): void {
  const targets = new Set<string>(cxt.schema);
  passBy(cxt, (value) => leadsToOneOf(targets, value));
}

function passBy(cxt: KeywordCxt, ref: (value: unknown) => boolean): void {
  cxt.pass(_`${cxt.gen.scopeValue('func', { ref })}(${cxt.data})`);
}

function typeKeyword(type: string, validators: TypeValidators): KeywordFunction {
  let validator: ValidateFunction | undefined;
  const keyword: KeywordFunction = (data, context) => {
    validator ??= validators(type);
    const valid = validator(data, context);
    if (!valid) keyword.errors = validator.errors ?? [];
    return valid;
  };
  return keyword;
}

/** A resource within another: its own resourceType tells its type. */
function resourceKeyword(place: 'any' | 'contained', validators: TypeValidators): KeywordFunction {
  const keyword: KeywordFunction = (data, context) => {
    const { resourceType, contained } = data as { resourceType?: unknown; contained?: unknown };
    if (typeof resourceType !== 'string' || !isResourceType(resourceType)) {
      keyword.errors = [errorOf({ problem: 'resourceType' }, context)];
      return false;
    }
    // dom-2: a contained resource contains none.
    if (place === 'contained' && contained !== undefined) {
      keyword.errors = [errorOf({ problem: 'contained' }, context)];
      return false;
    }
    const validator = validators(resourceType);
    const valid = validator(data, context);
    if (!valid) keyword.errors = validator.errors ?? [];
    return valid;
  };
  return keyword;
}

function elementsKeyword(rules: ElementRules): KeywordFunction {
  const keyword: KeywordFunction = (data, context) => {
    const problems = problemsOf(rules, data as Readonly<Record<string, unknown>>);
    if (problems.length === 0) return true;
    keyword.errors = problems.map((problem) => errorOf(problem, context));
    return false;
  };
  return keyword;
}

function errorOf(problem: Problem, context: Context): Partial<ErrorObject> {
  return { keyword: 'fhirElements', instancePath: context?.instancePath ?? '', params: problem };
}
