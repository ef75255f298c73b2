import { MedSealError } from '../../../errors.ts';
import { isResourceType, RESOURCE_TYPES } from '../../definitions/definitions.ts';
import type { SearchParameterType } from '../conversions/table.ts';
import type { SearchParameter } from '../parameters.ts';
import type { SearchRegistry } from '../registry.ts';
import { approximate, isApproximate } from './approximate.ts';
import type { Criterion, Modifier, Operand } from './ast.ts';
import { parameterError } from './errors.ts';
import { splitEscaped } from './escapes.ts';
import { findParameter } from './find.ts';
import { parseOperand } from './operands.ts';

/** Modifiers besides `missing` and resource types (http://hl7.org/fhir/R4/search.html#modifiers). */
const MODIFIERS: Readonly<Record<SearchParameterType, readonly Modifier[]>> = {
  string: ['exact', 'contains'],
  token: ['text', 'not', 'above', 'below', 'in', 'not-in', 'of-type'],
  reference: ['identifier', 'above', 'below'],
  uri: ['above', 'below'],
  date: [],
  number: [],
  quantity: [],
  composite: [],
  special: [],
};

/**
 * How many criteria one parameter may unfold into: a chain over references to any type branches at every step, and
 * could otherwise grow without bound.
 */
const MAX_CRITERIA = 2_000;

/** What does not change while one parameter is parsed. */
interface Context {
  readonly registry: SearchRegistry;
  /** The whole name, for errors. */
  readonly name: string;
  readonly value: string;
  readonly now: number | undefined;
  budget: number;
}

/**
 * The criterion that `name=value` stands for on resources of `type` (undefined for any): with its modifier, chain or
 * `_has`. Undefined when no such parameter is known.
 *
 * @param now epoch milliseconds, for `ap`, which is refused without it
 * @throws MedSealError `invalid-parameter`; `too-costly` when a chain branches too much
 */
export function parseCriterion(
  registry: SearchRegistry,
  type: string | undefined,
  name: string,
  value: string,
  now: number | undefined,
): Criterion | undefined {
  return parseStep({ registry, name, value, now, budget: MAX_CRITERIA }, type ?? 'Resource', name);
}

/** `rest` is what is left of the name for resources of `type`. */
function parseStep(context: Context, type: string, rest: string): Criterion | undefined {
  context.budget -= 1;
  if (context.budget < 0) throw parameterError(context.name, 'the chain branches too much', 'too-costly');
  if (rest.startsWith('_has:')) return parseHas(context, type, rest);
  const dot = rest.indexOf('.');
  const [head, next] = dot < 0 ? [rest, undefined] : [rest.slice(0, dot), rest.slice(dot + 1)];
  const colon = head.indexOf(':');
  const [code, suffix] = colon < 0 ? [head, undefined] : [head.slice(0, colon), head.slice(colon + 1)];
  const parameter = findParameter(context.registry, type, code);
  if (parameter === undefined) return undefined;
  return next === undefined ? parseMatch(context, parameter, suffix) : parseChain(context, parameter, suffix, next);
}

function parseMatch(context: Context, parameter: SearchParameter, suffix: string | undefined): Criterion {
  const { name, value } = context;
  if (suffix === 'missing') {
    if (value !== 'true' && value !== 'false') throw parameterError(name, 'the value must be true or false');
    return { kind: 'missing', parameter, missing: value === 'true' };
  }
  if (parameter.code === '_text' || parameter.code === '_content') {
    if (suffix !== undefined || value === '') throw parameterError(name, 'it takes a text and no modifier');
    return { kind: 'full-text', scope: parameter.code === '_text' ? 'narrative' : 'content', text: value };
  }
  if (parameter.code === '_query') {
    if (suffix !== undefined || value === '') throw parameterError(name, 'it takes the name of a query');
    return { kind: 'named-query', name: value };
  }
  const types = parameter.type === 'reference' && suffix !== undefined ? typeModifier(suffix) : undefined;
  const modifier = types === undefined ? modifierOf(context, parameter, suffix) : undefined;
  const operands = splitEscaped(value, ',').map((text): Operand => {
    const operand = parseOperand(parameter, modifier, types ?? parameter.targets, text);
    if (operand === undefined) throw parameterError(name, `the value is no valid ${parameter.type}`);
    if (types !== undefined && operand.kind === 'reference' && !leadsTo(operand.reference, types)) {
      throw parameterError(name, 'the value refers to another type than the modifier');
    }
    const { now } = context;
    if (isApproximate(operand) && now === undefined) throw parameterError(name, 'a condition cannot be approximate');
    return now === undefined ? operand : approximate(operand, now);
  });
  return { kind: 'match', parameter, modifier, operands };
}

function leadsTo(reference: { readonly kind: string } | undefined, types: readonly string[]): boolean {
  if (reference === undefined || !('type' in reference) || typeof reference.type !== 'string') return true;
  return types.includes(reference.type);
}

function typeModifier(suffix: string): readonly string[] | undefined {
  return isResourceType(suffix) ? [suffix] : undefined;
}

function modifierOf(context: Context, parameter: SearchParameter, suffix: string | undefined): Modifier | undefined {
  if (suffix === undefined) return undefined;
  const modifier = MODIFIERS[parameter.type].find((known) => known === suffix);
  if (modifier === undefined) {
    throw parameterError(context.name, `a parameter of type ${parameter.type} does not have this modifier`);
  }
  return modifier;
}

/** `subject:Patient.name`, `patient.organization.name`. */
function parseChain(
  context: Context,
  parameter: SearchParameter,
  suffix: string | undefined,
  rest: string,
): Criterion | undefined {
  if (parameter.type !== 'reference') throw parameterError(context.name, 'only a reference can be chained');
  const targets: { type: string; criterion: Criterion }[] = [];
  let refusal: unknown;
  for (const type of suffix === undefined ? targetTypes(parameter) : chainTypes(context, suffix)) {
    try {
      const criterion = parseStep(context, type, rest);
      if (criterion !== undefined) targets.push({ type, criterion });
    } catch (error) {
      // The same code may be another kind of parameter for another type; one that fits is enough.
      if (!(error instanceof MedSealError) || error.code === 'too-costly') throw error;
      refusal ??= error;
    }
  }
  if (targets.length === 0 && refusal !== undefined) throw refusal;
  return targets.length === 0 ? undefined : { kind: 'chain', parameter, targets };
}

function chainTypes(context: Context, suffix: string): readonly string[] {
  const types = typeModifier(suffix);
  if (types === undefined) throw parameterError(context.name, 'a chain takes a resource type as its only modifier');
  return types;
}

/** The types that a reference may lead to; every type when it is not limited. */
function targetTypes({ targets }: SearchParameter): readonly string[] {
  return targets.length === 0 || targets.includes('Resource') ? RESOURCE_TYPES : targets;
}

/** `_has:Observation:patient:code`. What follows may be a modified parameter, a chain or another `_has`. */
function parseHas(context: Context, type: string, rest: string): Criterion | undefined {
  const match = /^_has:([^:]*):([^:]*):(.+)$/s.exec(rest);
  const [, source = '', code = '', next = ''] = match ?? [];
  if (match === null || !isResourceType(source)) {
    throw parameterError(context.name, 'it must be _has:Type:reference:parameter');
  }
  const parameter = findParameter(context.registry, source, code);
  if (parameter === undefined) return undefined;
  const isReference = parameter.type === 'reference';
  if (!isReference || (type !== 'Resource' && !targetTypes(parameter).some((target) => target === type))) {
    throw parameterError(context.name, 'this parameter does not refer to the type searched');
  }
  const criterion = parseStep(context, source, next);
  return criterion === undefined ? undefined : { kind: 'has', type: source, parameter, criterion };
}
