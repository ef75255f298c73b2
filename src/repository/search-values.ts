import { MedSealError } from '../errors.ts';
import { RESOURCE_TYPES } from '../fhir/definitions/definitions.ts';
import type { SearchParameter } from '../fhir/search/parameters.ts';
import type { Operand, ReferenceOperand, TokenOperand } from '../fhir/search/query.ts';
import { uriAndAbove } from '../fhir/search/uris.ts';
import {
  codeAndAncestors,
  codeAndDescendants,
  hasHierarchy,
  isBuiltOfParts,
} from '../fhir/terminology/code-hierarchy.ts';
import {
  containingForms,
  exactForm,
  kindForm,
  ofTypeForm,
  prefixForm,
  systemForm,
  textForm,
  tokenForm,
  underUriForm,
  uriForm,
} from '../sealing/blind-index/forms.ts';
import { referenceToken } from '../sealing/blind-index/resource-tokens.ts';
import type { Criterion } from './criteria.ts';
import { date } from './search-dates.ts';
import {
  type IndexQuestion,
  indexOf,
  keysOf,
  presence,
  some,
  type TranslatorOptions,
  traits,
  unsupported,
} from './search-index.ts';
import { numeric } from './search-numbers.ts';

/**
 * One value of a parameter as the blind index can answer it.
 *
 * @throws MedSealError `search-not-supported`
 */
export function question(
  operand: Operand,
  modifier: string | undefined,
  parameter: SearchParameter,
  options: TranslatorOptions,
): IndexQuestion {
  switch (operand.kind) {
    case 'token':
      return { criterion: token(operand, modifier, parameter, options), exact: true };
    case 'value-set':
      return { criterion: inValueSet(operand.url, modifier, parameter, options), exact: true };
    case 'of-type':
      return {
        criterion: some(options, parameter, [ofTypeForm(operand.system ?? '', operand.code, operand.value)]),
        exact: true,
      };
    case 'text':
      return { criterion: beginning(operand.text, parameter, options), exact: false };
    case 'string':
      return string(operand.text, modifier, parameter, options);
    case 'uri':
      return { criterion: uri(operand.uri, modifier, parameter, options), exact: true };
    case 'reference':
      return { criterion: reference(operand, parameter, options), exact: true };
    case 'date':
      return date(operand, indexOf(options, parameter));
    case 'number':
    case 'quantity':
      return { criterion: numeric(operand, indexOf(options, parameter)), exact: false };
    case 'composite':
      return composite(operand.operands, parameter, options);
    default:
      throw unsupported(parameter.code);
  }
}

/**
 * Any of a value set's codes. A code without a system, as elements of type `code` have it, is taken for one of the set's:
 * its system is implied by what the element is bound to.
 */
function inValueSet(
  url: string,
  modifier: string | undefined,
  parameter: SearchParameter,
  options: TranslatorOptions,
): Criterion {
  const codes = options.valueSets?.get(url);
  if (codes === undefined) throw unsupported(`${parameter.code}:${modifier}`);
  const withSystem = codes.map(({ system, code }) => tokenForm(system, code));
  const values = codes.map(({ code }) => code);
  const bare = keysOf(options, parameter).map(
    ({ key }): Criterion => ({
      kind: 'some-traits',
      tokens: values.map((code) => options.tokenizer.token(key, tokenForm('', code))),
    }),
  );
  const anySystem = some(
    options,
    parameter,
    values.map((code) => tokenForm(undefined, code)),
  );
  return {
    kind: 'any',
    of: [some(options, parameter, withSystem), { kind: 'all', of: [anySystem, { kind: 'any', of: bare }] }],
  };
}

/** A token's text that begins so, as far as the index can tell. */
function beginning(text: string, parameter: SearchParameter, options: TranslatorOptions): Criterion {
  const form = textForm(text);
  return form === undefined ? presence(options, parameter) : traits(options, parameter, [form]);
}

function string(
  text: string,
  modifier: string | undefined,
  parameter: SearchParameter,
  options: TranslatorOptions,
): IndexQuestion {
  if (modifier === 'exact') return { criterion: some(options, parameter, [exactForm(text)]), exact: true };
  if (modifier !== 'contains') {
    const { form, exact } = prefixForm(text);
    return { criterion: some(options, parameter, [form]), exact };
  }
  const { every, or } = containingForms(text);
  if (every.length === 0) return { criterion: presence(options, parameter), exact: false };
  const of = [traits(options, parameter, every), traits(options, parameter, [or])];
  return { criterion: { kind: 'any', of }, exact: false };
}

/** http://hl7.org/fhir/R4/search.html#uri: above and below by the segments of the path. */
function uri(
  text: string,
  modifier: string | undefined,
  parameter: SearchParameter,
  options: TranslatorOptions,
): Criterion {
  if (modifier === 'below') return traits(options, parameter, [underUriForm(text)]);
  if (modifier !== 'above') return some(options, parameter, [uriForm(text)]);
  const above = uriAndAbove(text).flatMap((one) => [one, `${one}/`]);
  return some(options, parameter, above.map(uriForm));
}

/** Each part asked of the whole resource; that they are of one element is decided after opening. */
function composite(
  operands: readonly Operand[],
  { base, components = [] }: SearchParameter,
  options: TranslatorOptions,
): IndexQuestion {
  const known = [...options.registry.searchParametersOf(base).values()];
  const of = operands.flatMap((operand, index) => {
    const part = known.find(({ url }) => url === components[index]?.definition);
    return part === undefined || part.type !== components[index]?.type
      ? []
      : [question(operand, undefined, part, options).criterion];
  });
  return { criterion: { kind: 'all', of }, exact: false };
}

/** What a code is a kind of, and what is a kind of it, in the systems that are known here. */
function kindOf(
  system: string | null | undefined,
  code: string | undefined,
  modifier: 'above' | 'below',
  parameter: SearchParameter,
  options: TranslatorOptions,
): Criterion {
  if (system == null || code === undefined || !hasHierarchy(system)) {
    throw new MedSealError(
      'search-not-supported',
      `${parameter.code}:${modifier} needs a code of a system whose hierarchy this server has`,
      { expression: `${parameter.code}:${modifier}` },
    );
  }
  const codes = modifier === 'above' ? codeAndAncestors(system, code) : codeAndDescendants(system, code);
  const listed = some(
    options,
    parameter,
    codes.map((one) => tokenForm(system, one)),
  );
  if (modifier === 'above' || !isBuiltOfParts(system)) return listed;
  return { kind: 'any', of: [listed, traits(options, parameter, [kindForm(system, code)])] };
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
  if (modifier === 'above' || modifier === 'below') return kindOf(system, code, modifier, parameter, options);
  if (code === undefined) return traits(options, parameter, [systemForm(system ?? '')]);
  if (system !== null) return some(options, parameter, [tokenForm(system, code)]);
  // Without a system: those with the code in any system, and of them the ones with the trait.
  return {
    kind: 'all',
    of: [some(options, parameter, [tokenForm(undefined, code)]), traits(options, parameter, [tokenForm('', code)])],
  };
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
