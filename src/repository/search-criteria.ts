import { MedSealError } from '../errors.ts';
import { RESOURCE_TYPES } from '../fhir/definitions/definitions.ts';
import type { SearchParameter } from '../fhir/search/parameters.ts';
import type { Operand, ReferenceOperand, Criterion as SearchCriterion, TokenOperand } from '../fhir/search/query.ts';
import type { SearchRegistry } from '../fhir/search/registry.ts';
import {
  exactForm,
  ofTypeForm,
  PRESENT,
  prefixForm,
  systemForm,
  tokenForm,
  uriForm,
} from '../sealing/blind-index/forms.ts';
import { parameterKey, referenceToken } from '../sealing/blind-index/resource-tokens.ts';
import type { SourcesOf } from '../sealing/blind-index/sources.ts';
import type { Tokenizer } from '../sealing/blind-index/tokenizer.ts';
import type { Criterion } from './criteria.ts';
import type { Names } from './names.ts';
import { changedAt, date } from './search-dates.ts';

/** A search criterion as the blind index can answer it. */
export interface IndexQuestion {
  readonly criterion: Criterion;
  /** False: a superset, to be decided again on the opened resource. */
  readonly exact: boolean;
}

export interface TranslatorOptions {
  readonly tokenizer: Tokenizer;
  readonly names: Names;
  readonly sourcesOf: SourcesOf;
  /** The bases that relative references and ids are read against. */
  readonly institutions: readonly string[];
  readonly registry: SearchRegistry;
  /** The type searched; undefined for any. */
  readonly type: string | undefined;
}

/** The parameter types that `translate` answers. */
export const SUPPORTED_PARAMETER_TYPES: ReadonlySet<string> = new Set(['token', 'reference', 'string', 'date', 'uri']);

/** @throws MedSealError `search-not-supported` for what this version cannot answer: refused, never passed over */
export function translate(criterion: SearchCriterion, options: TranslatorOptions): IndexQuestion {
  switch (criterion.kind) {
    case 'match':
      return match(criterion, options);
    case 'missing': {
      const present = presence(options, criterion.parameter);
      return { criterion: criterion.missing ? { kind: 'not', of: present } : present, exact: true };
    }
    case 'chain':
      return chain(criterion, options);
    case 'has':
      return has(criterion, options);
    case 'list':
      return list(criterion, options);
    default:
      throw unsupported(`_${criterion.kind}`);
  }
}

function match(criterion: Extract<SearchCriterion, { kind: 'match' }>, options: TranslatorOptions): IndexQuestion {
  const { parameter, modifier, operands } = criterion;
  if (parameter.code === '_id') return { criterion: ids(operands, options), exact: true };
  if (parameter.code === '_lastUpdated') return { criterion: changedAt(operands), exact: true };
  if (modifier !== undefined && !SUPPORTED_MODIFIERS.has(`${parameter.type}:${modifier}`)) {
    throw unsupported(`${parameter.code}:${modifier}`);
  }
  const questions = operands.map((operand) => question(operand, modifier, parameter, options));
  const exact = questions.every((one) => one.exact);
  const any: Criterion = { kind: 'any', of: questions.map((one) => one.criterion) };
  return { criterion: modifier === 'not' ? { kind: 'not', of: any } : any, exact };
}

const SUPPORTED_MODIFIERS: ReadonlySet<string> = new Set([
  'token:not',
  'token:of-type',
  'string:exact',
  'reference:identifier',
]);

function question(
  operand: Operand,
  modifier: string | undefined,
  parameter: SearchParameter,
  options: TranslatorOptions,
): IndexQuestion {
  switch (operand.kind) {
    case 'token':
      return { criterion: token(operand, modifier, parameter, options), exact: true };
    case 'of-type':
      return {
        criterion: some(options, parameter, [ofTypeForm(operand.system ?? '', operand.code, operand.value)]),
        exact: true,
      };
    case 'string': {
      if (modifier === 'exact') return { criterion: some(options, parameter, [exactForm(operand.text)]), exact: true };
      const { form, exact } = prefixForm(operand.text);
      return { criterion: some(options, parameter, [form]), exact };
    }
    case 'uri':
      return { criterion: some(options, parameter, [uriForm(operand.uri)]), exact: true };
    case 'reference':
      return { criterion: reference(operand, parameter, options), exact: true };
    case 'date':
      return date(operand, {
        some: (forms) => some(options, parameter, forms),
        present: presence(options, parameter),
      });
    default:
      throw unsupported(parameter.code);
  }
}

function token(
  { system, code }: TokenOperand,
  modifier: string | undefined,
  parameter: SearchParameter,
  options: TranslatorOptions,
): Criterion {
  if (modifier === 'identifier') {
    const form = code === undefined ? systemForm(system ?? '') : tokenForm(system ?? undefined, code);
    return some(options, parameter, [`identifier|${form}`]);
  }
  if (code === undefined) return traits(options, parameter, systemForm(system ?? ''));
  if (system !== null) return some(options, parameter, [tokenForm(system, code)]);
  // Without a system: those with the code in any system, and of them the ones with the trait.
  return {
    kind: 'all',
    of: [some(options, parameter, [tokenForm(undefined, code)]), traits(options, parameter, tokenForm('', code))],
  };
}

/** The keys of the parameters that hold a parameter's tokens, of the same type. */
function keysOf(
  { sourcesOf }: TranslatorOptions,
  parameter: SearchParameter,
): readonly { key: string; target: string | undefined }[] {
  return sourcesOf(parameter).map(({ code, target }) => ({
    key: parameterKey({ base: parameter.base, code }),
    target,
  }));
}

function some(options: TranslatorOptions, parameter: SearchParameter, forms: readonly string[]): Criterion {
  const tokens = keysOf(options, parameter).flatMap(({ key }) =>
    forms.map((form) => options.tokenizer.token(key, form)),
  );
  return tokens.length === 1 ? { kind: 'every', tokens } : { kind: 'some', tokens };
}

function traits(options: TranslatorOptions, parameter: SearchParameter, form: string): Criterion {
  const of = keysOf(options, parameter).map(
    ({ key }): Criterion => ({ kind: 'traits', every: [options.tokenizer.token(key, form)] }),
  );
  return { kind: 'any', of };
}

/** Kept for each parameter by itself, whoever has its tokens. */
function presence({ tokenizer }: TranslatorOptions, parameter: SearchParameter): Criterion {
  return { kind: 'traits', every: [tokenizer.token(parameterKey(parameter), PRESENT)] };
}

function reference(operand: ReferenceOperand, parameter: SearchParameter, options: TranslatorOptions): Criterion {
  const tokens = keysOf(options, parameter).flatMap(({ key, target }) =>
    referents(operand, target, options).map((idToken) => referenceToken(options.tokenizer, key, idToken)),
  );
  return { kind: 'some', tokens };
}

/** Id tokens of what the operand may mean, at each base. */
function referents(
  { id, reference: literal, types }: ReferenceOperand,
  target: string | undefined,
  { names, institutions }: TranslatorOptions,
): readonly string[] {
  const possible = (types.length > 0 ? types : RESOURCE_TYPES).filter(
    (type) => target === undefined || type === target,
  );
  const found = institutions.flatMap((institution) => {
    if (id !== undefined) return possible.map((type) => names.idToken(names.name(institution, type, id)));
    if (literal === undefined || ('type' in literal && target !== undefined && literal.type !== target)) return [];
    return [names.locate(literal, institution)];
  });
  return [...new Set(found)];
}

function ids(operands: readonly Operand[], { names, institutions, type }: TranslatorOptions): Criterion {
  const wanted = operands.flatMap((operand) => (operand.kind === 'token' && operand.code ? [operand.code] : []));
  const types = type === undefined ? RESOURCE_TYPES : [type];
  const idTokens = institutions.flatMap((institution) =>
    types.flatMap((one) => wanted.map((id) => names.idToken(names.name(institution, one, id)))),
  );
  return { kind: 'ids', idTokens: [...new Set(idTokens)] };
}

function chain(criterion: Extract<SearchCriterion, { kind: 'chain' }>, options: TranslatorOptions): IndexQuestion {
  const of = keysOf(options, criterion.parameter).flatMap(({ key, target }) =>
    criterion.targets
      .filter(({ type }) => target === undefined || type === target)
      .map(({ type, criterion: inner }): Criterion => {
        const mask = options.tokenizer.mask(key);
        return { kind: 'refers-to', mask, type, target: exactly(inner, { ...options, type }) };
      }),
  );
  return { criterion: { kind: 'any', of }, exact: true };
}

function has(criterion: Extract<SearchCriterion, { kind: 'has' }>, options: TranslatorOptions): IndexQuestion {
  const { type, parameter } = criterion;
  const source = exactly(criterion.criterion, { ...options, type });
  const of = keysOf(options, parameter)
    .filter(({ target }) => target === undefined || options.type === undefined || target === options.type)
    .map(({ key }): Criterion => ({ kind: 'referred-by', mask: options.tokenizer.mask(key), type, source }));
  return { criterion: { kind: 'any', of }, exact: true };
}

/** Being an item of a List (http://hl7.org/fhir/R4/search.html#list); current ones by name are not kept. */
function list({ lists }: Extract<SearchCriterion, { kind: 'list' }>, options: TranslatorOptions): IndexQuestion {
  const item = options.registry.searchParametersOf('List').get('item');
  if (item === undefined || lists.some((name) => name.startsWith('$'))) throw unsupported('_list');
  const source: Criterion = ids(
    lists.map((code) => ({ kind: 'token', system: undefined, code })),
    { ...options, type: 'List' },
  );
  const of = keysOf(options, item).map(
    ({ key }): Criterion => ({ kind: 'referred-by', mask: options.tokenizer.mask(key), type: 'List', source }),
  );
  return { criterion: { kind: 'any', of }, exact: true };
}

/** At the far end of a chain there is nothing to open: only what the index answers exactly can be asked. */
function exactly(criterion: SearchCriterion, options: TranslatorOptions): Criterion {
  const { criterion: translated, exact } = translate(criterion, options);
  if (exact) return translated;
  const name = 'parameter' in criterion ? criterion.parameter.code : criterion.kind;
  throw new MedSealError(
    'search-not-supported',
    `Inside a chain ${name} is answered to the day and to 16 characters only`,
    {
      expression: name,
    },
  );
}

function unsupported(name: string): MedSealError {
  return new MedSealError('search-not-supported', `The search parameter ${name} is not supported in this form`, {
    expression: name,
  });
}
