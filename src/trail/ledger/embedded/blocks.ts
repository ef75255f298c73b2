import { hash, type KeyObject } from 'node:crypto';
import { leafHash } from 'medseal-chaincode/rules';
import { MedSealError } from '../../../errors.ts';
import { canonicalJson } from '../../../fhir/json/canonical.ts';
import type { BlockRow } from '../../../storage/ledger/blocks.ts';
import type { CommittedTransaction, LedgerBlock, LedgerProof, RecordedTransaction } from '../port.ts';
import { BLOCK_FORMAT, type BlockHeader, type Envelope, NO_BLOCK } from './envelope.ts';
import { digest, signCanonical, verifyBytes } from './signatures.ts';
import type { PinnedKeys } from './verify-envelope.ts';

/** A transaction in its signed block, as `verify-embedded.ts` takes it. */
export interface EmbeddedProof extends LedgerProof {
  readonly ledger: 'embedded';
  readonly header: BlockHeader;
  /** The block signer's, over the header. */
  readonly signature: string;
  readonly envelope: Envelope;
}

/** What the next block is about. */
export interface NewBlock {
  /** The block before; undefined for block 0. */
  readonly head: { readonly number: bigint; readonly hash: Buffer } | undefined;
  readonly channel: string;
  /** The envelope; of block 0 the roots. */
  readonly data: object;
  /** null in block 0. */
  readonly transactionId: string | null;
  readonly status: string;
  /** Epoch milliseconds. */
  readonly time: number;
}

/** Makes and signs the row of the next block. */
export function sealBlock({ head, channel, data, transactionId, status, time }: NewBlock, signer: KeyObject): BlockRow {
  const number = head === undefined ? 0n : head.number + 1n;
  const header: BlockHeader = {
    format: BLOCK_FORMAT,
    channel,
    number: Number(number),
    previousHash: head?.hash.toString('hex') ?? NO_BLOCK,
    dataHash: digest(data),
    status,
    time: new Date(time).toISOString(),
  };
  return {
    number,
    header: Buffer.from(canonicalJson(header)),
    hash: Buffer.from(digest(header), 'hex'),
    signature: Buffer.from(signCanonical(signer, header), 'hex'),
    data: Buffer.from(canonicalJson(data)),
    transaction: transactionId === null ? null : Buffer.from(transactionId, 'hex'),
    status: transactionId === null ? null : status,
  };
}

/**
 * Checks a stored block that follows one whose hash is `previousHash` (undefined: not known, as for the first that a
 * reader reads), and returns its own hash.
 *
 * @throws MedSealError `sealed-content-damaged` when the block is not what was signed, or not the next
 */
export function checkBlock(row: BlockRow, previousHash: string | undefined, keys: PinnedKeys): string {
  const signed = verifyBytes(keys.blockSigner, row.header, row.signature);
  const header: BlockHeader | undefined = signed ? JSON.parse(row.header.toString('utf8')) : undefined;
  const intact =
    header?.channel === keys.channel &&
    BigInt(header.number) === row.number &&
    header.dataHash === hash('sha256', row.data, 'hex') &&
    (row.transaction === null) === (row.number === 0n) &&
    (row.status ?? 'VALID') === header.status &&
    header.previousHash === (previousHash ?? header.previousHash);
  if (!intact) throw new MedSealError('sealed-content-damaged', `Block ${row.number} of the ledger is damaged`);
  return hash('sha256', row.header, 'hex');
}

/** A block as a leaf of the RFC 9162 tree over all of them. @param headerDigest hexadecimal */
export function blockLeaf(headerDigest: string): Uint8Array {
  return leafHash(Buffer.from(headerDigest, 'hex'));
}

/** A block as readers of the ledger see it. */
export function blockOf(row: BlockRow): LedgerBlock {
  if (row.transaction === null || row.status === null) return { number: row.number, transactions: [] };
  const { event } = (JSON.parse(row.data.toString('utf8')) as Envelope).simulation;
  const transaction = { transactionId: row.transaction.toString('hex'), status: row.status };
  const announced = event !== null && row.status === 'VALID';
  return { number: row.number, transactions: [announced ? { ...transaction, event } : transaction] };
}

/** What became of the block's transaction. */
export function committedOf({ number, transaction, status }: BlockRow): CommittedTransaction {
  return { transactionId: transaction?.toString('hex') ?? '', status: status ?? 'VALID', block: number };
}

/** The same, with its proof. */
export function recordedOf(row: BlockRow): RecordedTransaction {
  return { ...committedOf(row), prove: async () => proofOf(row) };
}

export function proofOf(row: BlockRow): EmbeddedProof {
  return {
    ledger: 'embedded',
    header: JSON.parse(row.header.toString('utf8')),
    signature: row.signature.toString('hex'),
    envelope: JSON.parse(row.data.toString('utf8')),
  };
}
