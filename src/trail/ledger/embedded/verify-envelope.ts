import type { KeyObject } from 'node:crypto';
import { type Envelope, endorsed, submitted, transactionIdOf } from './envelope.ts';
import { CREDENTIAL_FORMAT, type LedgerRoots } from './identities.ts';
import { publicKey, verifyCanonical } from './signatures.ts';

/** The pinned public keys of one embedded ledger, ready for use. */
export interface PinnedKeys {
  readonly channel: string;
  readonly blockSigner: KeyObject;
  readonly organisations: ReadonlyMap<string, KeyObject>;
}

export function pinnedKeys({ channel, blockSigner, organisations }: LedgerRoots): PinnedKeys {
  const keys = organisations.map(({ mspId, publicKey: key }) => [mspId, publicKey(key)] as const);
  return { channel, blockSigner: publicKey(blockSigner), organisations: new Map(keys) };
}

/** Whether the transaction is of this ledger, and signed by a client for whom its organisation vouches. */
export function isByMember(envelope: Envelope, keys: PinnedKeys): boolean {
  const { signature: vouched, ...claims } = envelope.proposal.creator;
  const organisation = keys.organisations.get(claims.mspId);
  return (
    envelope.proposal.channel === keys.channel &&
    claims.channel === keys.channel &&
    claims.format === CREDENTIAL_FORMAT &&
    organisation !== undefined &&
    verifyCanonical(organisation, claims, vouched) &&
    verifyCanonical(publicKey(claims.publicKey), submitted(envelope), envelope.signature)
  );
}

/** The organisations that endorsed exactly this outcome; undefined when a signature is wrong, unknown or repeated. */
export function endorsersOf(envelope: Envelope, keys: PinnedKeys): ReadonlySet<string> | undefined {
  const signed = endorsed(transactionIdOf(envelope.proposal), envelope.simulation);
  const signers = new Set<string>();
  for (const { mspId, signature } of envelope.endorsements) {
    const key = keys.organisations.get(mspId);
    if (key === undefined || signers.has(mspId) || !verifyCanonical(key, signed, signature)) return undefined;
    signers.add(mspId);
  }
  return signers;
}
