import type { Token } from '../sealing/blind-index/tokenizer.ts';
import { selfToken } from '../sealing/identity.ts';

/**
 * What a search asks of the blind index, and its SQL. Every hop of a chain or `_has` goes through the same view as the
 * search itself, so that no hop sees what the search may not.
 */
export type Criterion =
  | { readonly kind: 'all'; readonly of: readonly Criterion[] }
  | { readonly kind: 'any'; readonly of: readonly Criterion[] }
  | { readonly kind: 'not'; readonly of: Criterion }
  /** The row has every one of these tokens; `implied` when all rows of the plan's type do. */
  | { readonly kind: 'every'; readonly tokens: readonly Token[]; readonly asked?: Asked; readonly implied?: true }
  /** The row has at least one of these tokens. */
  | { readonly kind: 'some'; readonly tokens: readonly Token[]; readonly asked?: Asked }
  /** The row has every one of these traits, for which there is no index. */
  | { readonly kind: 'traits'; readonly every: readonly Token[] }
  /** The row has at least one of these traits. */
  | { readonly kind: 'some-traits'; readonly tokens: readonly Token[] }
  | { readonly kind: 'ids'; readonly idTokens: readonly string[] }
  /** Changed within `[from, until)`, RFC 3339. */
  | { readonly kind: 'changed'; readonly from: string | undefined; readonly until: string | undefined }
  /** By the parameter of this mask the row refers to a resource of `type` that meets `target`. */
  | {
      readonly kind: 'refers-to';
      readonly mask: bigint;
      readonly type: string;
      readonly target: Criterion;
      readonly few?: Few;
    }
  /** A resource of `type` that meets `source` refers to the row by the parameter of this mask. */
  | {
      readonly kind: 'referred-by';
      readonly mask: bigint;
      readonly type: string;
      readonly source: Criterion;
      readonly few?: Few;
    };

/**
 * Where a question for tokens is put: to the index, unless it says that the row is asked. What nearly every row has costs
 * the index more than looking at the few rows that something else has led to.
 */
export type Asked = 'row';

/**
 * That the criterion at a hop's end finds few rows by itself. Then its type is asked of them: the index of times holds all
 * of a type, and to look through that for each search would cost the more, the more there are.
 */
export type Few = true;

/** The numbered parameters of one statement. */
export class Parameters {
  readonly values: unknown[] = [];

  /** @returns its placeholder, such as `$3` */
  add(value: unknown): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }
}

/** Where rows come from, at every hop: the views for whoever reads, one institution's partition for its writers. */
export type Source =
  | { readonly table: 'permitted_current' }
  | { readonly table: 'resource_current'; readonly institution: number };

/** The criterion as a boolean expression over the row alias `row`. */
export function compileCriterion(criterion: Criterion, row: string, parameters: Parameters, source: Source): string {
  switch (criterion.kind) {
    case 'all':
      return junction(criterion.of, ' and ', 'true', row, parameters, source);
    case 'any':
      return junction(criterion.of, ' or ', 'false', row, parameters, source);
    case 'not':
      return `not (${compileCriterion(criterion.of, row, parameters, source)})`;
    case 'every':
      return `${tokensOf(row, criterion.asked)} @> ${parameters.add(criterion.tokens)}::bigint[]`;
    case 'some':
      return `${tokensOf(row, criterion.asked)} && ${parameters.add(criterion.tokens)}::bigint[]`;
    case 'traits':
      return `${row}.traits @> ${parameters.add(criterion.every)}::bigint[]`;
    case 'some-traits':
      return `${row}.traits && ${parameters.add(criterion.tokens)}::bigint[]`;
    case 'ids':
      return ids(criterion.idTokens, row, parameters);
    case 'changed':
      return changed(criterion, row, parameters);
    case 'refers-to':
      return refersTo(criterion, row, parameters, source);
    case 'referred-by':
      return referredBy(criterion, row, parameters, source);
  }
}

/** An expression over the column is none that the index knows. */
function tokensOf(row: string, asked: Asked | undefined): string {
  return asked === 'row' ? `(${row}.tokens || '{}')` : `${row}.tokens`;
}

function junction(
  of: readonly Criterion[],
  word: string,
  empty: string,
  row: string,
  parameters: Parameters,
  source: Source,
): string {
  const parts = of.map((one) => compileCriterion(one, row, parameters, source));
  return parts.length === 0 ? empty : parts.length === 1 ? String(parts[0]) : `(${parts.join(word)})`;
}

/** Both columns of the primary key, which begins with the first half of the id token. */
function ids(idTokens: readonly string[], row: string, parameters: Parameters): string {
  const selves = parameters.add(idTokens.map(selfToken));
  return `(${row}.self = any (${selves}::bigint[]) and ${row}.id_token = any (${parameters.add(idTokens)}::uuid[]))`;
}

function changed(
  { from, until }: Extract<Criterion, { kind: 'changed' }>,
  row: string,
  parameters: Parameters,
): string {
  const bounds = [
    ...(from === undefined ? [] : [`${row}.at >= ${parameters.add(from)}::timestamptz`]),
    ...(until === undefined ? [] : [`${row}.at < ${parameters.add(until)}::timestamptz`]),
  ];
  return bounds.length === 0 ? 'true' : `(${bounds.join(' and ')})`;
}

/** The targets' own bits under the mask are the tokens that refer to them (sealing/blind-index/resource-tokens.ts). */
function refersTo(
  criterion: Extract<Criterion, { kind: 'refers-to' }>,
  row: string,
  parameters: Parameters,
  source: Source,
): string {
  const inner = `${row}t`;
  const masked = `${inner}.self # ${parameters.add(criterion.mask)}::bigint`;
  return `${row}.tokens && array(select ${masked} ${hop(criterion, criterion.target, inner, parameters, source)})`;
}

/** Unmasking all tokens of a source yields, among noise that matches no row, what it refers to. */
function referredBy(
  criterion: Extract<Criterion, { kind: 'referred-by' }>,
  row: string,
  parameters: Parameters,
  source: Source,
): string {
  const inner = `${row}s`;
  const unmasked = `unnest(${inner}.tokens) # ${parameters.add(criterion.mask)}::bigint`;
  return `${row}.self in (select ${unmasked} ${hop(criterion, criterion.source, inner, parameters, source)})`;
}

/** The index of tokens, asked for those whom the view asks of each row: where little else narrows a search down. */
export function onlyReaders(row: string): string {
  return `${row}.readers && principal_tokens('readers')`;
}

function hop(
  { type, few }: Pick<Extract<Criterion, { kind: 'refers-to' | 'referred-by' }>, 'type' | 'few'>,
  criterion: Criterion,
  inner: string,
  parameters: Parameters,
  source: Source,
): string {
  const condition = compileCriterion(criterion, inner, parameters, source);
  const conditions =
    source.table === 'resource_current'
      ? [`${inner}.institution = ${parameters.add(source.institution)}`]
      : few === true
        ? [] // The view asks each row for them anyway.
        : [onlyReaders(inner)];
  const typeOf = few === true ? `(${inner}.type || '')` : `${inner}.type`;
  conditions.push(`${typeOf} = ${parameters.add(type)}`, `not ${inner}.deleted`, condition);
  return `from ${source.table} ${inner}
    where ${conditions.join(' and ')}`;
}
