import { X509Certificate } from 'node:crypto';
import { common } from '@hyperledger/fabric-protos';
import { MedSealError } from '../../../errors.ts';
import { verifySignature } from './ecdsa.ts';
import { decode } from './protobuf.ts';
import { type EndorsedTransaction, readTransaction } from './transaction.ts';

/** A transaction as it is submitted and kept: its payload and the creator's signature over it. */
export interface Envelope {
  readonly payload: Uint8Array;
  readonly signature: Buffer;
}

/** @throws MedSealError `ledger-rejected` when the bytes are not an envelope in its one form */
export function readEnvelope(bytes: Uint8Array): Envelope {
  const envelope = decode(common.Envelope, bytes);
  const [payload, signature] = [envelope.getPayload_asU8(), Buffer.from(envelope.getSignature_asU8())];
  if (payload.length === 0 || signature.length === 0) {
    throw new MedSealError('ledger-rejected', 'The envelope is incomplete');
  }
  return { payload, signature };
}

/**
 * Reads a transaction that was prepared here, perhaps long ago, and checks that not a bit of it has changed since.
 *
 * @throws MedSealError `ledger-rejected` when one has
 */
export function readPrepared(bytes: Uint8Array): EndorsedTransaction {
  const { payload, signature } = readEnvelope(bytes);
  const transaction = readTransaction(payload);
  if (!verifySignature(keyOf(transaction.creator.certificate), payload, signature)) {
    throw new MedSealError('ledger-rejected', 'The transaction is not what its creator signed');
  }
  return transaction;
}

function keyOf(pem: string) {
  try {
    return new X509Certificate(pem).publicKey;
  } catch (cause) {
    throw new MedSealError('ledger-rejected', 'The transaction has no certificate of its creator', { cause });
  }
}
