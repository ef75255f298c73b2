import { X509Certificate } from 'node:crypto';
import { common } from '@hyperledger/fabric-protos';
import { constant, count, type Guard, hexadecimal, listOf, nullable, record, text } from '../embedded/shape.ts';
import type { LedgerProof } from '../port.ts';
import { envelopesOf, numberOf } from './block.ts';
import { blockSignatures, type Consenters } from './consenters.ts';

/**
 * A transaction in its block, with what shows that the peers found it valid, which nothing in a block does: the answer
 * of two organisations' peers, endorsed and never submitted, to the question what became of it. Binary values are in
 * base64.
 */
export interface FabricProof extends LedgerProof {
  readonly ledger: 'fabric';
  readonly header: { readonly number: number; readonly previousHash: string; readonly dataHash: string };
  /** OrdererBlockMetadata: what orderers sign beside the header. */
  readonly metadata: string;
  readonly signatures: readonly BlockSignature[];
  /** The block's envelopes, all of which its hash covers; null: the one that is proved, which is in `attestation`. */
  readonly envelopes: readonly (string | null)[];
  /** Payload of a transaction: `qscc` `GetTransactionByID` with its endorsements. */
  readonly attestation: string;
}

export interface BlockSignature {
  /** IdentifierHeader where `signer` says who that is (BFT), else SignatureHeader, which names the signer itself. */
  readonly header: string;
  readonly signer: { readonly mspId: string; readonly certificate: string } | null;
  readonly signature: string;
}

/** In the one form in which base64 is written. */
const base64: Guard = (value) => typeof value === 'string' && fromBase64(value).toString('base64') === value;

export const proofShape = record({
  ledger: constant('fabric'),
  header: record({ number: count, previousHash: hexadecimal(32), dataHash: hexadecimal(32) }),
  metadata: base64,
  signatures: listOf(
    record({ header: base64, signer: nullable(record({ mspId: text, certificate: base64 })), signature: base64 }),
  ),
  envelopes: listOf(nullable(base64)),
  attestation: base64,
});

export function fromBase64(text: string): Buffer {
  return Buffer.from(text, 'base64');
}

/** @param index where in the block the transaction is */
export function proofOf(
  block: common.Block,
  index: number,
  consenters: Consenters,
  attestation: Uint8Array,
): FabricProof {
  const header = block.getHeader();
  const { value, signatures } = blockSignatures(block);
  return {
    ledger: 'fabric',
    header: {
      number: Number(numberOf(block)),
      previousHash: toHex(header?.getPreviousHash_asU8()),
      dataHash: toHex(header?.getDataHash_asU8()),
    },
    metadata: toBase64(value),
    signatures: signatures.map((signature) => signatureOf(signature, consenters)),
    envelopes: envelopesOf(block).map((envelope, place) => (place === index ? null : toBase64(envelope))),
    attestation: toBase64(attestation),
  };
}

function signatureOf(signature: common.MetadataSignature, consenters: Consenters): BlockSignature {
  const identified = signature.getIdentifierHeader_asU8();
  if (identified.length === 0) {
    const header = toBase64(signature.getSignatureHeader_asU8());
    return { header, signer: null, signature: toBase64(signature.getSignature_asU8()) };
  }
  const consenter = consenters.get(common.IdentifierHeader.deserializeBinary(identified).getIdentifier());
  return {
    header: toBase64(identified),
    signer: {
      mspId: consenter?.mspId ?? '',
      certificate: consenter === undefined ? '' : toBase64(new X509Certificate(consenter.certificate).raw),
    },
    signature: toBase64(signature.getSignature_asU8()),
  };
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function toHex(bytes: Uint8Array = new Uint8Array()): string {
  return Buffer.from(bytes).toString('hex');
}
