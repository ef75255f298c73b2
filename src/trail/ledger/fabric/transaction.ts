import { hash } from 'node:crypto';
import { common, msp, peer } from '@hyperledger/fabric-protos';
import { MedSealError } from '../../../errors.ts';
import { decode, present } from './protobuf.ts';

/** Somebody as Fabric's messages name them: an MSP and a certificate, PEM. */
export interface Identity {
  readonly mspId: string;
  readonly certificate: string;
}

/** An endorsed transaction with everything in it that is checked, read from its canonical bytes. */
export interface EndorsedTransaction {
  readonly channel: string;
  readonly transactionId: string;
  /** The client's clock, epoch milliseconds. */
  readonly time: number;
  readonly creator: Identity;
  readonly chaincode: string;
  /** What is called, then its arguments. */
  readonly args: readonly string[];
  /** What every endorser signed, each with its own identity behind it. */
  readonly outcome: Uint8Array;
  readonly endorsements: readonly Endorsement[];
  /** TxReadWriteSet. */
  readonly results: Uint8Array;
  /** The chaincode that answered, and its answer. */
  readonly answeredBy: string;
  readonly answer: Uint8Array;
}

export interface Endorsement {
  readonly endorser: Identity;
  /** Over `outcome` and then these bytes. */
  readonly endorserBytes: Uint8Array;
  readonly signature: Buffer;
}

const ENDORSER_TRANSACTION = 3;
const OK = 200;

/**
 * Reads the payload of a transaction's envelope. What belongs together is checked here: the id is that of creator and
 * nonce, and what was endorsed answers just this proposal. Signatures are not.
 *
 * @throws MedSealError `ledger-rejected` when it is anything else
 */
export function readTransaction(payloadBytes: Uint8Array): EndorsedTransaction {
  const payload = decode(common.Payload, payloadBytes);
  const header = present(payload.getHeader());
  const channelHeader = decode(common.ChannelHeader, header.getChannelHeader_asU8());
  const signatureHeader = decode(common.SignatureHeader, header.getSignatureHeader_asU8());
  demand(channelHeader.getType() === ENDORSER_TRANSACTION);
  const nonceAndCreator = [signatureHeader.getNonce_asU8(), signatureHeader.getCreator_asU8()];
  const transactionId = hash('sha256', Buffer.concat(nonceAndCreator), 'hex');
  demand(transactionId === channelHeader.getTxId());

  const [action, ...more] = decode(peer.Transaction, payload.getData_asU8()).getActionsList();
  demand(more.length === 0);
  demand(equal(present(action).getHeader_asU8(), header.getSignatureHeader_asU8()));
  const actionPayload = decode(peer.ChaincodeActionPayload, present(action).getPayload_asU8());
  const proposalPayload = actionPayload.getChaincodeProposalPayload_asU8();
  const endorsed = present(actionPayload.getAction());
  const outcome = endorsed.getProposalResponsePayload_asU8();
  const response = decode(peer.ProposalResponsePayload, outcome);
  const proposal = [header.getChannelHeader_asU8(), header.getSignatureHeader_asU8(), proposalPayload];
  demand(equal(response.getProposalHash_asU8(), hash('sha256', Buffer.concat(proposal), 'buffer')));
  const chaincodeAction = decode(peer.ChaincodeAction, response.getExtension_asU8());
  const answer = present(chaincodeAction.getResponse());
  demand(answer.getStatus() === OK);

  return {
    channel: channelHeader.getChannelId(),
    transactionId,
    time: present<{ toDate(): Date }>(channelHeader.getTimestamp()).toDate().getTime(),
    creator: readIdentity(signatureHeader.getCreator_asU8()),
    ...readCall(proposalPayload),
    outcome,
    endorsements: endorsed.getEndorsementsList().map((endorsement) => ({
      endorser: readIdentity(endorsement.getEndorser_asU8()),
      endorserBytes: endorsement.getEndorser_asU8(),
      signature: Buffer.from(endorsement.getSignature_asU8()),
    })),
    results: chaincodeAction.getResults_asU8(),
    answeredBy: chaincodeAction.getChaincodeId()?.getName() ?? '',
    answer: answer.getPayload_asU8(),
  };
}

/** @throws MedSealError `ledger-rejected` */
export function readIdentity(bytes: Uint8Array): Identity {
  const identity = decode(msp.SerializedIdentity, bytes);
  return { mspId: identity.getMspid(), certificate: Buffer.from(identity.getIdBytes_asU8()).toString('latin1') };
}

function readCall(proposalPayload: Uint8Array): Pick<EndorsedTransaction, 'chaincode' | 'args'> {
  const input = decode(peer.ChaincodeProposalPayload, proposalPayload).getInput_asU8();
  const specification = present(decode(peer.ChaincodeInvocationSpec, input).getChaincodeSpec());
  const args = present(specification.getInput()).getArgsList_asU8();
  return {
    chaincode: present(specification.getChaincodeId()).getName(),
    args: args.map((arg) => Buffer.from(arg).toString('utf8')),
  };
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.from(one).equals(other);
}

function demand(condition: boolean): asserts condition {
  if (!condition) throw new MedSealError('ledger-rejected', 'The transaction contradicts itself');
}
