import { common, peer } from '@hyperledger/fabric-protos';
import type { LedgerBlock, LedgerTransaction, TransactionStatus } from '../port.ts';

const STATUSES: ReadonlyMap<number, TransactionStatus> = new Map(
  Object.entries(peer.TxValidationCode).map(([name, code]) => [code, name]),
);

/** Fabric's name of a validation code. */
export function statusOf(code: number): TransactionStatus {
  return STATUSES.get(code) ?? 'INVALID_OTHER_REASON';
}

/** A block of a peer whose word is taken, as readers of the ledger see it. */
export function readBlock(block: common.Block): LedgerBlock {
  const transactions = envelopesOf(block).map((bytes, index) => readPlaced(bytes, statusAt(block, index)));
  return { number: numberOf(block), transactions };
}

export function numberOf(block: common.Block): bigint {
  return BigInt(block.getHeader()?.getNumber() ?? 0);
}

export function envelopesOf(block: common.Block): readonly Uint8Array[] {
  return block.getData()?.getDataList_asU8() ?? [];
}

export function metadataOf(block: common.Block, index: number): Uint8Array {
  return block.getMetadata()?.getMetadataList_asU8()[index] ?? new Uint8Array();
}

/** What the peer found of the transaction at this place: nobody has signed that. */
export function statusAt(block: common.Block, index: number): TransactionStatus {
  const codes = metadataOf(block, common.BlockMetadataIndex.TRANSACTIONS_FILTER);
  return statusOf(codes[index] ?? peer.TxValidationCode.NOT_VALIDATED);
}

/** Of an envelope that may be anything; '' when it has no transaction's id. */
export function transactionIdOf(envelope: Uint8Array): string {
  try {
    return common.ChannelHeader.deserializeBinary(headerOf(envelope)).getTxId();
  } catch {
    return ''; // what an orderer let pass need not be a transaction at all
  }
}

function readPlaced(envelope: Uint8Array, status: TransactionStatus): LedgerTransaction {
  const transaction = { transactionId: transactionIdOf(envelope), status };
  const event = status === 'VALID' ? eventOf(envelope) : undefined;
  return event === undefined ? transaction : { ...transaction, event };
}

/** What a valid transaction announced; configuration has no transaction in it. */
function eventOf(envelope: Uint8Array): LedgerTransaction['event'] {
  const { type, data } = payloadOf(envelope);
  if (type !== common.HeaderType.ENDORSER_TRANSACTION) return undefined;
  const [action] = peer.Transaction.deserializeBinary(data).getActionsList();
  if (action === undefined) return undefined;
  const endorsed = peer.ChaincodeActionPayload.deserializeBinary(action.getPayload_asU8()).getAction();
  const response = endorsed?.getProposalResponsePayload_asU8() ?? new Uint8Array();
  const extension = peer.ProposalResponsePayload.deserializeBinary(response).getExtension_asU8();
  const events = peer.ChaincodeAction.deserializeBinary(extension).getEvents_asU8();
  if (events.length === 0) return undefined;
  const event = peer.ChaincodeEvent.deserializeBinary(events);
  return { name: event.getEventName(), payload: Buffer.from(event.getPayload_asU8()).toString('utf8') };
}

function payloadOf(envelope: Uint8Array) {
  const payload = common.Payload.deserializeBinary(common.Envelope.deserializeBinary(envelope).getPayload_asU8());
  const header = common.ChannelHeader.deserializeBinary(headerOf(envelope));
  return { type: header.getType(), data: payload.getData_asU8() };
}

function headerOf(envelope: Uint8Array): Uint8Array {
  const payload = common.Payload.deserializeBinary(common.Envelope.deserializeBinary(envelope).getPayload_asU8());
  return payload.getHeader()?.getChannelHeader_asU8() ?? new Uint8Array();
}
