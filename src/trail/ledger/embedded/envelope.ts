import { MedSealError } from '../../../errors.ts';
import { canonicalJson } from '../../../fhir/json/canonical.ts';
import { type Credential, credentialShape } from './identities.ts';
import { constant, count, hexadecimal, listOf, nullable, record, text } from './shape.ts';
import { digest } from './signatures.ts';

/** What a client asks for. Its digest is the transaction's id. */
export interface Proposal {
  readonly format: 'medseal-ledger-proposal/1';
  readonly channel: string;
  readonly contract: string;
  readonly transaction: string;
  readonly args: readonly string[];
  readonly creator: Credential;
  readonly nonce: string;
  /** The client's clock, a UTC instant. */
  readonly time: string;
}

/** What running a contract read and would write: Fabric's read/write set. Keys are Fabric's composite keys. */
export interface Simulation {
  /** Version: the number of the block that wrote the key last; null: it did not exist. */
  readonly reads: readonly { readonly key: string; readonly version: number | null }[];
  readonly writes: readonly { readonly key: string; readonly value: string }[];
  /** Key-level endorsement policies, hexadecimal. */
  readonly policies: readonly { readonly key: string; readonly policy: string }[];
  readonly event: { readonly name: string; readonly payload: string } | null;
  readonly response: string;
}

interface Endorsement {
  readonly mspId: string;
  readonly signature: string;
}

/** A transaction as it is submitted and kept. */
export interface Envelope {
  readonly proposal: Proposal;
  readonly simulation: Simulation;
  readonly endorsements: readonly Endorsement[];
  /** The creator's, over all of the above: whoever alters a transaction on its way does not use up its id. */
  readonly signature: string;
}

export interface BlockHeader {
  readonly format: 'medseal-ledger-block/1';
  readonly channel: string;
  readonly number: number;
  /** Digest of the header before; zeros in block 0. */
  readonly previousHash: string;
  /** Digest of the envelope; in block 0 of the roots. */
  readonly dataHash: string;
  /** Fabric's name of the validation code. */
  readonly status: string;
  readonly time: string;
}

export const PROPOSAL_FORMAT = 'medseal-ledger-proposal/1';
export const BLOCK_FORMAT = 'medseal-ledger-block/1';
export const NO_BLOCK = '0'.repeat(64);

export const envelopeShape = record({
  proposal: record({
    format: constant(PROPOSAL_FORMAT),
    channel: hexadecimal(16),
    contract: text,
    transaction: text,
    args: listOf(text),
    creator: record(credentialShape),
    nonce: hexadecimal(24),
    time: text,
  }),
  simulation: record({
    reads: listOf(record({ key: text, version: nullable(count) })),
    writes: listOf(record({ key: text, value: text })),
    policies: listOf(record({ key: text, policy: hexadecimal() })),
    event: nullable(record({ name: text, payload: text })),
    response: text,
  }),
  endorsements: listOf(record({ mspId: text, signature: hexadecimal(64) })),
  signature: hexadecimal(64),
});

export const blockHeaderShape = record({
  format: constant(BLOCK_FORMAT),
  channel: hexadecimal(16),
  number: count,
  previousHash: hexadecimal(32),
  dataHash: hexadecimal(32),
  status: text,
  time: text,
});

export function transactionIdOf(proposal: Proposal): string {
  return digest(proposal);
}

/** What an endorsing organisation signs: this outcome of this proposal. */
export function endorsed(transactionId: string, simulation: Simulation): object {
  return { format: 'medseal-ledger-endorsement/1', transactionId, simulation };
}

/** What the creator signs. */
export function submitted({ proposal, simulation, endorsements }: Omit<Envelope, 'signature'>): object {
  return { format: 'medseal-ledger-transaction/1', proposal, simulation, endorsements };
}

/** @throws MedSealError `ledger-rejected` when the bytes are not an envelope in canonical JSON */
export function parseEnvelope(bytes: Uint8Array): Envelope {
  const parsed = parseCanonical(bytes);
  if (!envelopeShape(parsed)) throw new MedSealError('ledger-rejected', 'The bytes are not a transaction');
  return parsed as Envelope;
}

function parseCanonical(bytes: Uint8Array): unknown {
  try {
    const json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const parsed: unknown = JSON.parse(json);
    return canonicalJson(parsed) === json ? parsed : undefined;
  } catch (cause) {
    throw new MedSealError('ledger-rejected', 'The bytes are not a transaction', { cause });
  }
}
