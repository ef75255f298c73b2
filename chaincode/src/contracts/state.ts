import { readNumber } from '../rules/argument.ts';
import type { Caller } from '../rules/caller.ts';
import { canonicalJson } from '../rules/canonical.ts';
import { ownerAndAnyOther } from '../rules/endorsement.ts';
import { type Institution, ownInstitution } from '../rules/institution.ts';
import type { ContractContext, StateIterator } from './context.ts';
import { encodePolicy } from './policy.ts';

/** States are canonical JSON objects (which CouchDB keeps as documents) under composite keys of one type each. */
export type StateType = 'anchor' | 'consent' | 'erasure' | 'institution' | 'release';

const MOST_PER_PAGE = 100;

/** A state that the contract's rules wrote, or undefined where nothing is. */
export async function getState<T>(ctx: ContractContext, type: StateType, ...key: string[]): Promise<T | undefined> {
  return parse<T>(await ctx.stub.getState(ctx.stub.createCompositeKey(type, key)));
}

export async function putState(ctx: ContractContext, state: object, type: StateType, ...key: string[]): Promise<void> {
  await ctx.stub.putState(ctx.stub.createCompositeKey(type, key), Buffer.from(canonical(state)));
}

/** The registration of an institution of the caller's. @throws ContractRefusal `not-registered`, `not-owner` */
export async function ownRegistration(ctx: ContractContext, institution: string, caller: Caller): Promise<Institution> {
  return ownInstitution(await getState<Institution>(ctx, 'institution', institution), caller);
}

/** Makes the new state the transaction's event, of the name of its type, and its answer. */
export function announce(ctx: ContractContext, type: StateType, state: object): string {
  const text = canonical(state);
  ctx.stub.setEvent(type, Buffer.from(text));
  return text;
}

/** From now on the owner and one of the others must endorse every write of this key, whatever the chaincode's policy. */
export async function bindToOwner(
  ctx: ContractContext,
  { owner, endorsers }: Institution,
  type: StateType,
  ...key: string[]
): Promise<void> {
  const policy = encodePolicy(ownerAndAnyOther(owner, endorsers));
  await ctx.stub.setStateValidationParameter(ctx.stub.createCompositeKey(type, key), policy);
}

/**
 * One page of the states whose key begins so, as `{items, bookmark}`; an empty bookmark asks for the first page and
 * marks the last. Only for evaluation: Fabric refuses to submit a transaction that read a page.
 */
export async function page(
  ctx: ContractContext,
  type: StateType,
  prefix: string[],
  pageSize: string,
  bookmark: string,
): Promise<string> {
  const size = readNumber(pageSize, 'pageSize', 1, MOST_PER_PAGE);
  const result = await ctx.stub.getStateByPartialCompositeKeyWithPagination(type, prefix, size, bookmark);
  const items = [];
  for await (const { value } of iterate(result.iterator)) items.push(parse<object>(value));
  // An incomplete page is the last, whatever the state database puts into its bookmark.
  return canonical({ items, bookmark: items.length < size ? '' : result.metadata.bookmark });
}

/**
 * Former states of one key, newest first, as `{items}`: at most `limit` of those whose `order` is below `before` ('' for
 * no bound). Only for evaluation.
 */
export async function history(
  ctx: ContractContext,
  order: string,
  before: string,
  limit: string,
  type: StateType,
  ...key: string[]
): Promise<string> {
  const most = readNumber(limit, 'limit', 1, MOST_PER_PAGE);
  const bound = before === '' ? Number.POSITIVE_INFINITY : readNumber(before, 'before', 1);
  const items: object[] = [];
  for await (const { value } of iterate(await ctx.stub.getHistoryForKey(ctx.stub.createCompositeKey(type, key)))) {
    const state = parse<{ readonly [field: string]: unknown }>(value);
    if (state !== undefined && Number(state[order]) < bound) items.push(state);
    if (items.length === most) break;
  }
  return canonical({ items });
}

/** The canonical text of a state, `null` where nothing is. */
export function orNull(state: object | undefined): string {
  return state === undefined ? 'null' : canonical(state);
}

/** The canonical text of a state or of an answer that holds states. */
export function canonical(value: object): string {
  return canonicalJson(JSON.parse(JSON.stringify(value)));
}

function parse<T>(bytes: Uint8Array): T | undefined {
  return bytes.length === 0 ? undefined : JSON.parse(Buffer.from(bytes).toString('utf8'));
}

async function* iterate(iterator: StateIterator): AsyncGenerator<{ readonly value: Uint8Array }> {
  try {
    for (let step = await iterator.next(); !step.done; step = await iterator.next()) yield step.value;
  } finally {
    await iterator.close();
  }
}
