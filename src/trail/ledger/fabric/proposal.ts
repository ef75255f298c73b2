import { common, gateway, peer } from '@hyperledger/fabric-protos';
import type { ContractCall } from '../port.ts';
import type { GatewayPeer } from './peers.ts';
import { present } from './protobuf.ts';

/** What is proposed to a chaincode: one of our contracts' transactions, or a query of the peer's own ledger. */
export interface Invocation {
  readonly chaincode: string;
  /** `contract:transaction`, or the query's name. */
  readonly name: string;
  readonly args: readonly string[];
  /** Whose peers are to answer; absent: whoever the endorsement policy wants. */
  readonly organisations?: readonly string[];
}

export function invocationOf(call: ContractCall, chaincode: string): Invocation {
  return { chaincode, name: `${call.contract}:${call.transaction}`, args: call.args };
}

/** A new proposal of that, dated `time` (epoch milliseconds): the gateway's own would tell the machine's clock. */
export function propose(at: GatewayPeer, { chaincode, name, args, organisations }: Invocation, time: number) {
  const contract = at.network.getContract(chaincode);
  const endorsingOrganizations = organisations && { endorsingOrganizations: [...organisations] };
  const proposal = contract.newProposal(name, { arguments: [...args], ...endorsingOrganizations });
  return at.gateway.newProposal(dated(proposal.getBytes(), time));
}

function dated(bytes: Uint8Array, time: number): Uint8Array {
  const proposed = gateway.ProposedTransaction.deserializeBinary(bytes);
  const signed = present(proposed.getProposal());
  const proposal = peer.Proposal.deserializeBinary(signed.getProposalBytes_asU8());
  const header = common.Header.deserializeBinary(proposal.getHeader_asU8());
  const channelHeader = common.ChannelHeader.deserializeBinary(header.getChannelHeader_asU8());
  channelHeader.getTimestamp()?.fromDate(new Date(time));
  header.setChannelHeader(channelHeader.serializeBinary());
  proposal.setHeader(header.serializeBinary());
  signed.setProposalBytes(proposal.serializeBinary());
  return proposed.serializeBinary();
}

/** The transaction in what the gateway prepared. */
export function envelopeIn(prepared: Uint8Array): common.Envelope {
  return present(gateway.PreparedTransaction.deserializeBinary(prepared).getEnvelope());
}

/** What the gateway takes for submission. */
export function preparedFrom(envelope: Uint8Array, transactionId: string): Uint8Array {
  const prepared = new gateway.PreparedTransaction();
  prepared.setTransactionId(transactionId);
  prepared.setEnvelope(common.Envelope.deserializeBinary(envelope));
  return prepared.serializeBinary();
}
