import { MedSealError } from '../../../errors.ts';

/** A generated message class of @hyperledger/fabric-protos. */
interface MessageClass<T> {
  deserializeBinary(bytes: Uint8Array): T;
}

/**
 * Reads a message and refuses bytes that are not the one form in which it is written: no unknown fields, no other order,
 * no second encoding of the same. So whatever a signature or a digest over those bytes covers is all that there is.
 *
 * @throws MedSealError `ledger-rejected`
 */
export function decode<T extends { serializeBinary(): Uint8Array }>(type: MessageClass<T>, bytes: Uint8Array): T {
  let message: T;
  try {
    message = type.deserializeBinary(bytes);
  } catch (cause) {
    throw new MedSealError('ledger-rejected', 'The bytes are not a transaction', { cause });
  }
  if (!Buffer.from(message.serializeBinary()).equals(bytes)) {
    throw new MedSealError('ledger-rejected', 'The bytes are not a transaction in its canonical form');
  }
  return message;
}

/** A message that may not be left out. @throws MedSealError `ledger-rejected` */
export function present<T>(message: T | undefined): T {
  if (message === undefined) throw new MedSealError('ledger-rejected', 'The transaction is incomplete');
  return message;
}
