import { bytes32, cid, institutionName, integer, list, object, oneOf, readArgument } from './argument.ts';
import { type Caller, checkOwner } from './caller.ts';
import type { Institution } from './institution.ts';
import { verifyConsistency } from './merkle.ts';
import { refuseUnless } from './refusal.ts';

export const LOGS = ['access', 'records'] as const;
export type LogName = (typeof LOGS)[number];

/** What the ledger holds of one log of one institution: its newest anchored tree head. */
export interface Anchor {
  readonly institution: string;
  readonly log: LogName;
  /** The institution's organisation, an MSP id. */
  readonly owner: string;
  /** Number of leaves. */
  readonly size: number;
  /** RFC 9162 root over them, 32 bytes in hexadecimal. */
  readonly root: string;
  /** CID of the manifest of the batch that this anchor adds. */
  readonly manifest: string;
  /** 1 for the genesis. */
  readonly sequence: number;
  readonly time: string;
  readonly transactionId: string;
  /** Of the first anchor of a log that another ledger had anchored before. */
  readonly predecessor?: Predecessor;
}

/**
 * The ledger that a log was anchored on before this one, as it was when the log was carried over. Nobody here can say
 * whether what it holds is true; from now on it can only be that.
 */
export interface Predecessor {
  /** Digest of the keys that it consists of, 32 bytes in hexadecimal: the data hash of its block 0. */
  readonly configuration: string;
  /** Number of its blocks. */
  readonly blocks: number;
  /** RFC 9162 root over the digests of their headers. */
  readonly root: string;
}

export interface GenesisRequest {
  readonly institution: string;
  readonly log: LogName;
  readonly size: number;
  readonly root: string;
  readonly manifest: string;
}

export interface CarryRequest extends GenesisRequest {
  readonly predecessor: Predecessor;
}

export interface AppendRequest extends GenesisRequest {
  /** RFC 9162 consistency proof from the stored anchor, hexadecimal. */
  readonly consistency: readonly string[];
}

// A tree of 2^53 leaves has proofs of at most 54 hashes.
const LONGEST_PROOF = 64;

const TREE_HEAD = {
  institution: institutionName,
  log: oneOf(...LOGS),
  size: integer(1),
  root: bytes32,
  manifest: cid,
};

export const logName = TREE_HEAD.log;

export function readGenesisRequest(argument: string): GenesisRequest {
  return readArgument<GenesisRequest>(argument, TREE_HEAD);
}

export function readCarryRequest(argument: string): CarryRequest {
  const predecessor = object<Predecessor>({ configuration: bytes32, blocks: integer(1), root: bytes32 });
  return readArgument<CarryRequest>(argument, { ...TREE_HEAD, predecessor });
}

export function readAppendRequest(argument: string): AppendRequest {
  return readArgument<AppendRequest>(argument, { ...TREE_HEAD, consistency: list(bytes32, LONGEST_PROOF) });
}

/** The first anchor of a log of the caller's own institution. @throws ContractRefusal `anchor-exists` */
export function genesis(stored: Anchor | undefined, own: Institution, request: GenesisRequest, caller: Caller): Anchor {
  refuseUnless(stored === undefined, 'anchor-exists', 'this log has its genesis already');
  return anchor(own.owner, 1, request, caller);
}

/**
 * The first anchor of a log that another ledger anchored before: a genesis over all the leaves that it had there, which
 * names that ledger's state. There is nothing here that a consistency proof could start from.
 *
 * @throws ContractRefusal `anchor-exists`
 */
export function carry(stored: Anchor | undefined, own: Institution, request: CarryRequest, caller: Caller): Anchor {
  return { ...genesis(stored, own, request, caller), predecessor: request.predecessor };
}

/**
 * Every further anchor: a larger tree that contains the stored one unchanged.
 *
 * @throws ContractRefusal `anchor-missing`, `not-owner`, `anchor-same-size`, `anchor-smaller`, `anchor-inconsistent`
 */
export function append(stored: Anchor | undefined, request: AppendRequest, caller: Caller): Anchor {
  refuseUnless(stored !== undefined, 'anchor-missing', 'this log has no genesis yet');
  checkOwner(stored, caller);
  refuseUnless(request.size !== stored.size, 'anchor-same-size', 'this size is anchored already');
  refuseUnless(request.size > stored.size, 'anchor-smaller', 'a larger size is anchored already');
  const consistent = verifyConsistency({
    oldSize: stored.size,
    oldRoot: Buffer.from(stored.root, 'hex'),
    newSize: request.size,
    newRoot: Buffer.from(request.root, 'hex'),
    proof: request.consistency.map((hash) => Buffer.from(hash, 'hex')),
  });
  refuseUnless(consistent, 'anchor-inconsistent', 'the tree does not extend the one that is anchored');
  return anchor(stored.owner, stored.sequence + 1, request, caller);
}

function anchor(owner: string, sequence: number, request: GenesisRequest, caller: Caller): Anchor {
  const { institution, log, size, root, manifest } = request;
  const { time, transactionId } = caller;
  return { institution, log, owner, size, root, manifest, sequence, time, transactionId };
}
