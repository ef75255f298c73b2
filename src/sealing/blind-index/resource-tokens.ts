import type { ParsedReference } from '../../fhir/references/reference.ts';
import type { SearchParameter } from '../../fhir/search/parameters.ts';
import type { ReferenceValue, SearchValue } from '../../fhir/search/values.ts';
import { selfToken } from '../identity.ts';
import { RecentValues } from '../recent-values.ts';
import {
  dateForms,
  numberForms,
  PRESENT,
  stringForms,
  stringTraits,
  systemForm,
  textTraits,
  tokenForms,
  tokenTraits,
  uriForms,
  uriTraits,
} from './forms.ts';
import type { SourcesOf } from './sources.ts';
import type { Token, Tokenizer } from './tokenizer.ts';

/** What one search parameter found in one resource. */
export interface IndexedParameter {
  readonly parameter: SearchParameter;
  readonly values: readonly SearchValue[];
}

/** The id token of what a reference names, wherever that is; the same for writer and searcher. */
export type Locate = (reference: ParsedReference) => string;

/**
 * The key that a parameter's tokens are made under: shared by all types for the parameters of Resource, and an
 * institution's own for its custom parameters.
 */
export function parameterKey({
  base,
  code,
  institution,
}: Pick<SearchParameter, 'base' | 'code' | 'institution'>): string {
  const key = `${code.startsWith('_') ? 'Resource' : base}.${code}`;
  return institution === undefined ? key : `${institution}/${key}`;
}

/** Matched by every resource of a type. */
export function typeToken(tokenizer: Tokenizer, type: string): Token {
  return tokenizer.token('Resource', `type|${type}`);
}

/** What a resource writes into the blind index (DESIGN §6). */
export interface ResourceTokens {
  /** Indexed. */
  readonly tokens: readonly Token[];
  /** Kept beside them without an index: what is seldom asked, and never alone. */
  readonly traits: readonly Token[];
}

const RECENT_TEXTS = 4000;

/** The tokens of everything that search finds in a resource, each once. */
export type ResourceIndexer = (type: string, found: readonly IndexedParameter[], locate: Locate) => ResourceTokens;

export function createResourceIndexer(tokenizer: Tokenizer, sourcesOf: SourcesOf): ResourceIndexer {
  // Worked out once per parameter: its key, and whether it has tokens of its own.
  const settled = new WeakMap<SearchParameter, { readonly key: string; readonly own: boolean }>();
  const settle = (parameter: SearchParameter): { readonly key: string; readonly own: boolean } => {
    const known = settled.get(parameter);
    if (known !== undefined) return known;
    const made = { key: parameterKey(parameter), own: sourcesOf(parameter)[0]?.code === parameter.code };
    settled.set(parameter, made);
    return made;
  };

  // Displays repeat as their codes do.
  const texts = new RecentValues<readonly string[]>(RECENT_TEXTS);
  const textTraitsOf = (text: string): readonly string[] => {
    const known = texts.get(text);
    if (known !== undefined) return known;
    const made = textTraits(text);
    texts.set(text, made);
    return made;
  };

  return (type, found, locate) => {
    const tokens = new Set<Token>([typeToken(tokenizer, type)]);
    const traits = new Set<Token>();
    for (const { parameter, values } of found) {
      if (values.length === 0) continue;
      const { key, own } = settle(parameter);
      traits.add(tokenizer.token(key, PRESENT));
      if (!own) continue;
      for (const value of values) {
        addValue(tokens, traits, tokenizer, key, value, locate);
        if (value.kind !== 'token' || value.text === undefined) continue;
        for (const form of textTraitsOf(value.text)) traits.add(tokenizer.token(key, form));
      }
    }
    return { tokens: [...tokens], traits: [...traits] };
  };
}

function addValue(
  tokens: Set<Token>,
  traits: Set<Token>,
  tokenizer: Tokenizer,
  key: string,
  value: SearchValue,
  locate: Locate,
): void {
  for (const form of valueForms(value)) tokens.add(tokenizer.token(key, form));
  for (const form of valueTraits(value)) traits.add(tokenizer.token(key, form));
  if (value.kind === 'reference') addReference(tokens, tokenizer, key, value, locate);
}

function valueForms(value: SearchValue): readonly string[] {
  switch (value.kind) {
    case 'token':
      return tokenForms(value);
    case 'string':
      return stringForms(value.text);
    case 'date':
      return dateForms(value);
    case 'number':
    case 'quantity':
      return numberForms(value);
    case 'uri':
      return uriForms(value.value);
    case 'reference':
      return value.identifier === undefined ? [] : identifierForms(value.identifier);
    case 'composite':
      // Answered by the tokens of its parts, and decided after opening.
      return [];
  }
}

function valueTraits(value: SearchValue): readonly string[] {
  switch (value.kind) {
    case 'token':
      return tokenTraits(value);
    case 'string':
      return stringTraits(value.text);
    case 'uri':
      return uriTraits(value.value);
    default:
      return [];
  }
}

function identifierForms(identifier: NonNullable<ReferenceValue['identifier']>): readonly string[] {
  const { system } = identifier;
  const forms = [
    ...tokenForms({ kind: 'token', ...identifier }),
    ...(system === undefined ? [] : [systemForm(system)]),
  ];
  return forms.map((form) => `identifier|${form}`);
}

function addReference(
  tokens: Set<Token>,
  tokenizer: Tokenizer,
  key: string,
  value: ReferenceValue,
  locate: Locate,
): void {
  if (value.reference === undefined || value.reference.kind === 'fragment') return;
  tokens.add(referenceToken(tokenizer, key, locate(value.reference)));
}

/**
 * How a row names another: the target's own 64 bits under the parameter's mask. An XOR, so that the database can follow
 * a chain from row to row inside one statement; see docs/adr/0004.
 */
export function referenceToken(tokenizer: Tokenizer, key: string, idToken: string): Token {
  return BigInt.asIntN(64, selfToken(idToken) ^ tokenizer.mask(key)).toString();
}
