import { hash } from 'node:crypto';
import { bytes32, cid, integer, readArgument } from './argument.ts';
import { type Caller, checkOwner } from './caller.ts';
import { canonicalJson } from './canonical.ts';
import { type ConsentState, permitsRelease } from './consent.ts';
import { refuseUnless } from './refusal.ts';

export interface ReleaseRequest {
  /** The consent's opaque key. */
  readonly consent: string;
  /** The grantee's opaque key, one of the consent's. */
  readonly grantee: string;
  /** 1 for the first release of this consent to this grantee. */
  readonly sequence: number;
  /** `releaseHash` of the one before; `NO_RELEASE` for the first. */
  readonly previous: string;
  /** CID of the sealed manifest with the wrapped content keys. */
  readonly manifest: string;
}

/** One release, as the ledger holds it. */
export interface Release extends ReleaseRequest {
  /** The one that keeps the consent. */
  readonly institution: string;
  readonly owner: string;
  /** The version of the consent that permitted it. */
  readonly consentVersion: number;
  readonly time: string;
  readonly transactionId: string;
}

export const NO_RELEASE = '0'.repeat(64);

export function readReleaseRequest(argument: string): ReleaseRequest {
  return readArgument<ReleaseRequest>(argument, {
    consent: bytes32,
    grantee: bytes32,
    sequence: integer(1),
    previous: bytes32,
    manifest: cid,
  });
}

/** What the next release of the chain names as `previous`: SHA-256 over the canonical state, hexadecimal. */
export function releaseHash(release: Release): string {
  return hash('sha256', canonicalJson({ ...release }), 'hex');
}

/**
 * Records a release: only under an active consent for that grantee at the transaction's time, and only as the next of
 * its chain, so that a gap in what was released shows.
 *
 * @param stored what is recorded under this sequence number and under the one before it
 * @throws ContractRefusal `release-not-consented`, `not-owner`, `release-sequence`, `release-chain`
 */
export function release(
  consent: ConsentState | undefined,
  stored: { readonly same: Release | undefined; readonly previous: Release | undefined },
  request: ReleaseRequest,
  caller: Caller,
): Release {
  const refusal = 'no active consent permits a release to this grantee now';
  refuseUnless(consent !== undefined, 'release-not-consented', refusal);
  checkOwner(consent, caller);
  refuseUnless(permitsRelease(consent, request.grantee, caller.time), 'release-not-consented', refusal);
  refuseUnless(stored.same === undefined, 'release-sequence', 'this sequence number is taken');
  const first = request.sequence === 1;
  refuseUnless(first || stored.previous !== undefined, 'release-sequence', 'the release before it is missing');
  const previous = stored.previous === undefined ? NO_RELEASE : releaseHash(stored.previous);
  refuseUnless(request.previous === previous, 'release-chain', 'previous is not the hash of the release before it');
  const { institution, owner, version } = consent;
  const { time, transactionId } = caller;
  return { ...request, institution, owner, consentVersion: version, time, transactionId };
}
