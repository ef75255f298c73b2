import { MedSealError } from '../errors.ts';
import { RESOURCE_TYPES } from '../fhir/definitions/definitions.ts';
import type { SearchParameter } from '../fhir/search/parameters.ts';
import type { Operand, Criterion as SearchCriterion } from '../fhir/search/query.ts';
import type { Criterion } from './criteria.ts';
import { changedAt } from './search-dates.ts';
import { type IndexQuestion, keysOf, presence, type TranslatorOptions, unsupported } from './search-index.ts';
import { question } from './search-values.ts';

/** The parameter types that `translate` answers. */
const ANSWERED_TYPES: ReadonlySet<string> = new Set([
  'token',
  'reference',
  'string',
  'date',
  'uri',
  'number',
  'quantity',
  'composite',
]);

/** Parameters that look at a whole resource, or name a query: of other kinds than what the index knows. */
const NOT_ANSWERED: ReadonlySet<string> = new Set(['_text', '_content', '_query']);

/** Whether `translate` answers the parameter at all. */
export function isAnswered({ code, type }: SearchParameter): boolean {
  return ANSWERED_TYPES.has(type) && !NOT_ANSWERED.has(code);
}

/** The modifiers that `translate` answers for a parameter; a reference takes resource types too. */
export function modifiersOf({ code, type }: SearchParameter): readonly string[] {
  if (code === '_id' || code === '_lastUpdated') return [];
  const own = [...SUPPORTED_MODIFIERS].filter((one) => one.startsWith(`${type}:`));
  return ['missing', ...own.map((one) => one.slice(type.length + 1)), ...(type === 'reference' ? ['[type]'] : [])];
}

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
    case 'full-text':
      throw unsupported(criterion.scope === 'narrative' ? '_text' : '_content');
    case 'filter':
      throw unsupported('_filter');
    case 'named-query':
      throw unsupported('_query');
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
  return { criterion: modifier === 'not' || modifier === 'not-in' ? { kind: 'not', of: any } : any, exact };
}

const SUPPORTED_MODIFIERS: ReadonlySet<string> = new Set([
  'token:not',
  'token:of-type',
  'token:text',
  'token:above',
  'token:below',
  'token:in',
  'token:not-in',
  'string:exact',
  'string:contains',
  'reference:identifier',
  'uri:above',
  'uri:below',
]);

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

/** At the far end of a chain nothing is opened by the statement itself: either it was looked up, or the index is exact. */
function exactly(criterion: SearchCriterion, options: TranslatorOptions): Criterion {
  const known = options.found?.get(criterion);
  if (known !== undefined) return known;
  const { criterion: translated, exact } = translate(criterion, options);
  if (exact) return translated;
  const name = 'parameter' in criterion ? criterion.parameter.code : criterion.kind;
  throw new MedSealError('search-not-supported', `At the end of a chain, ${name} cannot be asked like this here`, {
    expression: name,
  });
}
