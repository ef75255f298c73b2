import { bytes32, cid, institutionName, integer, list, oneOf, readArgument } from './argument.ts';
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
}

export interface GenesisRequest {
  readonly institution: string;
  readonly log: LogName;
  readonly size: number;
  readonly root: string;
  readonly manifest: string;
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

export function readAppendRequest(argument: string): AppendRequest {
  return readArgument<AppendRequest>(argument, { ...TREE_HEAD, consistency: list(bytes32, LONGEST_PROOF) });
}

/** The first anchor of a log of the caller's own institution. @throws ContractRefusal `anchor-exists` */
export function genesis(stored: Anchor | undefined, own: Institution, request: GenesisRequest, caller: Caller): Anchor {
  refuseUnless(stored === undefined, 'anchor-exists', 'this log has its genesis already');
  return anchor(own.owner, 1, request, caller);
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
