import type { SearchParameter as SearchParameterResource } from '@medplum/fhirtypes';
import { type Issue, MedSealError } from '../../../errors.ts';
import { isResourceType } from '../../definitions/definitions.ts';
import type { SearchParameterDefinition } from '../../definitions/search-parameters.ts';
import { compileExpression, parseExpression } from '../../fhirpath/fhirpath.ts';
import { conversionOf } from '../conversions/table.ts';
import type { SearchParameter } from '../parameters.ts';
import type { SearchRegistry } from '../registry.ts';
import { targetsOf } from '../targets.ts';
import { refusedPart } from './expression.ts';

/** What the index answers by tokens of its own. A composite is answered by those of its parts, which are R4's. */
const SIMPLE: ReadonlySet<string> = new Set(['token', 'reference', 'string', 'date', 'uri', 'number', 'quantity']);
const COMPOSITE = 'composite';
const MAX_PARTS = 4;
/** R4's longest has 1,485. */
const MAX_EXPRESSION = 2000;
const MAX_BASES = 40;
/** No sign that names a modifier, a chain or a list, and not R4's own `_`. */
const CODE = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
/** The access trail is no part of the index. */
const TRAIL = 'AuditEvent';

/**
 * The definition that a SearchParameter puts in force; undefined where it is not `active`.
 *
 * @param known R4's own parameters, which cannot be redefined
 * @throws MedSealError `invalid-search-parameter`, which names the elements, for one that cannot be put in force
 */
export function customDefinition(
  resource: SearchParameterResource,
  known: SearchRegistry,
): SearchParameterDefinition | undefined {
  if (resource.status !== 'active') return undefined;
  const { url, code, type, expression, base, target = [], component = [] } = resource;
  const definition = {
    url,
    code,
    base: [...new Set(base)],
    type: type as SearchParameterDefinition['type'],
    ...(expression === undefined ? {} : { expression }),
    ...(target.length === 0 ? {} : { target: [...target] }),
    ...(type === COMPOSITE
      ? { component: component.map(({ definition: part, expression: at }) => ({ definition: part, expression: at })) }
      : {}),
  };
  const problems = [...headerProblems(definition, known)];
  if (problems.length === 0) problems.push(...expressionProblems(definition));
  if (problems.length === 0 && type === COMPOSITE) problems.push(...componentProblems(definition, known));
  if (problems.length === 0) return definition;
  const [first] = problems;
  throw new MedSealError('invalid-search-parameter', first?.diagnostics ?? '', { issues: problems });
}

/** What the same texts find the same by. */
export function definitionText(definition: SearchParameterDefinition): string {
  const { code, base, type, expression, target = [], component = [] } = definition;
  return JSON.stringify([code, base, type, expression, target, component]);
}

export function problem(element: string, diagnostics: string): Issue {
  return { severity: 'error', diagnostics, expression: `SearchParameter.${element}` };
}

function* headerProblems(definition: SearchParameterDefinition, known: SearchRegistry): Generator<Issue> {
  const { code, base, type, expression, target = [] } = definition;
  if (!CODE.test(code)) yield problem('code', 'A code begins with a letter; letters, digits, - and _ follow');
  if (!SIMPLE.has(type) && type !== COMPOSITE)
    yield problem('type', `A custom parameter of this type is not supported: ${type}`);
  if (base.length > MAX_BASES) yield problem('base', `At most ${MAX_BASES} types`);
  for (const name of base) {
    if (!isResourceType(name) || name === TRAIL) yield problem('base', `This is no type of records: ${name}`);
    else if (known.searchParametersOf(name).has(code))
      yield problem('code', `R4 has this parameter of ${name} already`);
  }
  if (!target.every((name) => name === 'Resource' || isResourceType(name)))
    yield problem('target', 'A target must be a resource type');
  if (expression === undefined) yield problem('expression', 'What it finds must be told as FHIRPath');
  else if (expression.length > MAX_EXPRESSION) yield problem('expression', `At most ${MAX_EXPRESSION} characters`);
}

function* expressionProblems(definition: SearchParameterDefinition): Generator<Issue> {
  const { expression = '', base, type } = definition;
  try {
    requireSelecting(expression);
    for (const name of base) {
      const found = compileExpression(expression, name).types;
      const targets = type === 'reference' ? targetsOf(definition, name) : [];
      if (found?.length === 0) yield problem('expression', `It finds nothing in ${name}`);
      else if (type !== COMPOSITE && found?.every((one) => conversionOf(type, one, targets) === undefined))
        yield problem('expression', `What it finds in ${name} is not searched as ${type}: ${found.join(', ')}`);
    }
  } catch (error) {
    if (!(error instanceof MedSealError) || error.code !== 'invalid-expression') throw error;
    yield problem('expression', error.message);
  }
}

/** @throws MedSealError `invalid-expression` for what is not FHIRPath, or does more than select elements */
function requireSelecting(expression: string): void {
  const refused = refusedPart(parseExpression(expression));
  if (refused === undefined) return;
  throw new MedSealError('invalid-expression', `Expressions of search parameters do not take ${refused}`);
}

/** http://hl7.org/fhir/R4/search.html#composite: each part by a parameter that finds at least what the part does. */
function* componentProblems(definition: SearchParameterDefinition, known: SearchRegistry): Generator<Issue> {
  const { expression = '', base, component = [] } = definition;
  if (component.length < 2 || component.length > MAX_PARTS) {
    yield problem('component', `A composite has 2 to ${MAX_PARTS} parts`);
    return;
  }
  for (const [index, part] of component.entries()) {
    const place = `component[${index}]`;
    for (const name of base) {
      const parameter = [...known.searchParametersOf(name).values()].find(({ url }) => url === part.definition);
      if (parameter === undefined || !SIMPLE.has(parameter.type)) {
        yield problem(`${place}.definition`, `R4 has no such parameter of ${name} that can be a part`);
        continue;
      }
      const why = partProblem(part.expression, compileExpression(expression, name).types ?? [], parameter);
      if (why !== undefined) yield problem(`${place}.expression`, why);
    }
  }
}

function partProblem(
  expression: string,
  elements: readonly string[],
  { type, targets }: SearchParameter,
): string | undefined {
  if (expression.length > MAX_EXPRESSION) return `At most ${MAX_EXPRESSION} characters`;
  try {
    requireSelecting(expression);
    const found = compileExpression(expression, ...elements).types;
    const fits = found?.some((one) => conversionOf(type, one, targets) !== undefined) ?? true;
    return fits ? undefined : `It finds nothing that is searched as ${type}`;
  } catch (error) {
    if (error instanceof MedSealError && error.code === 'invalid-expression') return error.message;
    throw error;
  }
}
