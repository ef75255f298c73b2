import { hasScope, MAX_PAGE_BYTES, type PermittedRecord } from '../../consent/guarded-reader.ts';
import { afterOthers } from '../../consent/patiently.ts';
import { MedSealError } from '../../errors.ts';
import { isResourceType, RESOURCE_TYPES } from '../../fhir/definitions/definitions.ts';
import type { SearchParameter } from '../../fhir/search/parameters.ts';
import type { Include, SearchControl } from '../../fhir/search/query.ts';
import type { SearchValue } from '../../fhir/search/values.ts';
import type { Criterion } from '../../repository/criteria.ts';
import type { RequestContext } from '../../request-context.ts';
import { parameterKey, referenceToken } from '../../sealing/blind-index/resource-tokens.ts';
import type { Token } from '../../sealing/blind-index/tokenizer.ts';
import type { Services } from '../services.ts';
import type { SearchBase } from './base.ts';
import { everyRow } from './walk.ts';

export type IncludeServices = Pick<Services, 'reader' | 'registry' | 'tokenizer' | 'sourcesOf' | 'names'>;

/** More than this beside the matches of one page is refused, never left out silently. */
const MAX_INCLUDED = 2000;
/** Ids, or tokens of references, that one statement asks for: `*` of many matches are more. */
const MAX_KEYS = 50_000;
/** How often `:iterate` goes on from what it included. */
const MAX_ROUNDS = 8;

/**
 * What `_include` and `_revinclude` add to a page of matches (http://hl7.org/fhir/R4/search.html#include), each once and
 * none that is a match. Everything is found through the views of whoever searches, opened and decided again, as a match is.
 *
 * @throws MedSealError `too-costly`
 */
export async function includedBy(
  services: IncludeServices,
  context: RequestContext,
  base: SearchBase,
  { include, revinclude }: SearchControl,
  matches: readonly PermittedRecord[],
): Promise<readonly PermittedRecord[]> {
  if (include.length === 0 && revinclude.length === 0) return [];
  const found = new Included(matches);
  let from: readonly PermittedRecord[] = matches;
  for (let round = 0; from.length > 0; round++) {
    if (round > MAX_ROUNDS) throw tooMany('goes further than this server follows');
    const applies = (one: Include): boolean => round === 0 || one.iterate;
    const forward = await referredTo(services, context, include.filter(applies), from);
    const idTokens = [...forward.keys].filter((idToken) => !found.has(idToken));
    const backward = await referring(services, context, revinclude.filter(applies), from);
    from = [
      // A reference may lead to another base of this node; the entry's full URL tells.
      ...(await found.load(services, context, forward, undefined, { kind: 'ids', idTokens })),
      ...(await found.load(services, context, backward, base.institution, {
        kind: 'some',
        tokens: [...backward.keys],
      })),
    ];
  }
  return found.records;
}

/** Id tokens or tokens of the index, and the types of what they find. */
interface Wanted {
  readonly types: Set<string>;
  readonly keys: Set<string>;
}

/** What is there already, and how much more fits. */
class Included {
  readonly records: PermittedRecord[] = [];
  readonly #known: Set<string>;
  #room = MAX_PAGE_BYTES;

  constructor(matches: readonly PermittedRecord[]) {
    this.#known = new Set(matches.map(({ row }) => row.idToken));
  }

  has(idToken: string): boolean {
    return this.#known.has(idToken);
  }

  /** Adds what the criterion finds, of all types in one statement. @returns what is new */
  async load(
    { reader }: IncludeServices,
    context: RequestContext,
    { types, keys }: Wanted,
    institution: number | undefined,
    criterion: Criterion,
  ): Promise<readonly PermittedRecord[]> {
    const [first] = types;
    if (first === undefined || keys.size === 0) return [];
    if (keys.size > MAX_KEYS) throw tooMany('asks for too much at once');
    const search = reader.search(context, first);
    const plan = { type: types.size === 1 ? first : undefined, institution, criterion };
    const added: PermittedRecord[] = [];
    for await (const row of everyRow(search, plan)) {
      const record = this.#known.has(row.idToken) ? undefined : await search.open(row);
      if (record !== undefined) added.push(this.#add(record));
    }
    return added;
  }

  #add(record: PermittedRecord): PermittedRecord {
    this.#room -= record.content?.length ?? 0;
    if (this.records.length === MAX_INCLUDED || this.#room < 0) throw tooMany('adds too much to one page');
    this.#known.add(record.row.idToken);
    this.records.push(record);
    return record;
  }
}

/** The id tokens that the references of `from` lead to. Evaluating `*` of many records takes as long as opening them. */
async function referredTo(
  services: IncludeServices,
  context: RequestContext,
  includes: readonly Include[],
  from: readonly PermittedRecord[],
): Promise<Wanted> {
  const wanted: Wanted = { types: new Set(), keys: new Set() };
  if (includes.length === 0) return wanted;
  for (const record of from) {
    const references = await afterOthers(context, () =>
      includes.flatMap((include) => referencesBy(services, include, record)),
    );
    for (const { type, reference } of references) {
      if (!hasScope(context, type, 's')) continue;
      wanted.types.add(type);
      wanted.keys.add(services.names.locate(reference, record.institution));
    }
  }
  return wanted;
}

/** What the include takes of a record's references. */
function referencesBy(services: IncludeServices, include: Include, { row, resource }: PermittedRecord) {
  if (resource === undefined || (include.source !== undefined && include.source !== row.type)) return [];
  return parametersOf(services, include, row.type)
    .flatMap((parameter) => [...literals(parameter.values(resource))])
    .filter(({ type }) => (include.target ?? type) === type);
}

function* literals(values: readonly SearchValue[]) {
  for (const value of values) {
    const reference = value.kind === 'reference' ? value.reference : undefined;
    if (reference?.kind === 'relative' || reference?.kind === 'absolute') yield { type: reference.type, reference };
  }
}

/** The tokens that only resources have which refer to one of `from`. */
async function referring(
  services: IncludeServices,
  context: RequestContext,
  revincludes: readonly Include[],
  from: readonly PermittedRecord[],
): Promise<Wanted> {
  const wanted: Wanted = { types: new Set(), keys: new Set() };
  for (const { type, parameter, target } of referrers(services, revincludes, from)) {
    if (!hasScope(context, type, 's')) continue;
    wanted.types.add(type);
    const tokens = await afterOthers(context, () => referringTokens(services, parameter, target));
    for (const token of tokens) wanted.keys.add(token);
  }
  return wanted;
}

/** By which parameters of which types each of `from` may be referred to. */
function* referrers(services: IncludeServices, revincludes: readonly Include[], from: readonly PermittedRecord[]) {
  for (const include of revincludes) {
    for (const type of include.source === undefined ? RESOURCE_TYPES : [include.source]) {
      for (const parameter of parametersOf(services, include, type)) {
        for (const target of from) {
          const { type: to } = target.row;
          if ((include.target ?? to) === to && leadsTo(parameter, to)) yield { type, parameter, target };
        }
      }
    }
  }
}

function referringTokens(
  { sourcesOf, tokenizer }: IncludeServices,
  parameter: SearchParameter,
  { row }: PermittedRecord,
): readonly Token[] {
  return sourcesOf(parameter)
    .filter(({ target }) => target === undefined || target === row.type)
    .map(({ code }) => referenceToken(tokenizer, parameterKey({ ...parameter, code }), row.idToken));
}

function leadsTo({ targets }: SearchParameter, type: string): boolean {
  return targets.length === 0 || targets.includes('Resource') || targets.includes(type);
}

/** The one that is named, or for `*` all of the type's references. */
function parametersOf({ registry }: IncludeServices, { parameter }: Include, type: string): readonly SearchParameter[] {
  if (parameter !== undefined) return parameter.base === type ? [parameter] : [];
  if (!isResourceType(type)) return [];
  return [...registry.searchParametersOf(type).values()].filter((one) => one.type === 'reference');
}

function tooMany(what: string): MedSealError {
  return new MedSealError('too-costly', `What is to be included ${what}; ask for a smaller _count or include less`, {
    expression: '_include',
  });
}
