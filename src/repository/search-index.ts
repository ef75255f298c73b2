import { MedSealError } from '../errors.ts';
import type { SearchParameter } from '../fhir/search/parameters.ts';
import type { Criterion as SearchCriterion } from '../fhir/search/query.ts';
import type { SearchRegistry } from '../fhir/search/registry.ts';
import { PRESENT } from '../sealing/blind-index/forms.ts';
import { parameterKey } from '../sealing/blind-index/resource-tokens.ts';
import type { SourcesOf } from '../sealing/blind-index/sources.ts';
import type { Tokenizer } from '../sealing/blind-index/tokenizer.ts';
import type { Criterion } from './criteria.ts';
import type { Names } from './names.ts';

/** A search criterion as the blind index can answer it. */
export interface IndexQuestion {
  readonly criterion: Criterion;
  /** False: a superset, to be decided again on the opened resource. */
  readonly exact: boolean;
}

/** One parameter's part of the blind index. */
export interface ParameterIndex {
  /** Those with one of the forms. */
  readonly some: (forms: readonly string[]) => Criterion;
  /** Those with any value. */
  readonly present: Criterion;
}

/** By the URL that a question names. */
export type ValueSetCodes = ReadonlyMap<string, readonly { readonly system: string; readonly code: string }[]>;

export interface TranslatorOptions {
  readonly tokenizer: Tokenizer;
  readonly names: Names;
  readonly sourcesOf: SourcesOf;
  /** The bases that relative references and ids are read against. */
  readonly institutions: readonly string[];
  readonly registry: SearchRegistry;
  /** The type searched; undefined for any. */
  readonly type: string | undefined;
  /** Of each value set that is named, its codes. */
  readonly valueSets?: ValueSetCodes;
  /** What is known already of the far ends of chains. */
  readonly found?: ReadonlyMap<SearchCriterion, Criterion>;
}

/** The keys of the parameters that hold a parameter's tokens, of the same type. */
export function keysOf(
  { sourcesOf }: TranslatorOptions,
  parameter: SearchParameter,
): readonly { key: string; target: string | undefined }[] {
  return sourcesOf(parameter).map(({ code, target }) => ({
    key: parameterKey({ ...parameter, code }),
    target,
  }));
}

export function some(options: TranslatorOptions, parameter: SearchParameter, forms: readonly string[]): Criterion {
  const tokens = keysOf(options, parameter).flatMap(({ key }) =>
    forms.map((form) => options.tokenizer.token(key, form)),
  );
  return tokens.length === 1 ? { kind: 'every', tokens } : { kind: 'some', tokens };
}

export function traits(options: TranslatorOptions, parameter: SearchParameter, forms: readonly string[]): Criterion {
  const of = keysOf(options, parameter).map(
    ({ key }): Criterion => ({ kind: 'traits', every: forms.map((form) => options.tokenizer.token(key, form)) }),
  );
  return { kind: 'any', of };
}

/** Kept for each parameter by itself, whoever has its tokens. */
export function presence({ tokenizer }: TranslatorOptions, parameter: SearchParameter): Criterion {
  return { kind: 'traits', every: [tokenizer.token(parameterKey(parameter), PRESENT)] };
}

export function indexOf(options: TranslatorOptions, parameter: SearchParameter): ParameterIndex {
  return { some: (forms) => some(options, parameter, forms), present: presence(options, parameter) };
}

export function unsupported(name: string): MedSealError {
  return new MedSealError('search-not-supported', `The search parameter ${name} is not supported in this form`, {
    expression: name,
  });
}
