import { common } from '@hyperledger/fabric-protos';
import { MedSealError } from '../../../errors.ts';
import { envelopesOf, transactionIdOf } from './block.ts';
import { type Consenters, consentersOf, lastConfigOf } from './consenters.ts';
import { failureOf, toLedgerError } from './failure.ts';
import type { GatewayPeers } from './peers.ts';
import { type FabricProof, proofOf } from './proof.ts';
import { envelopeIn, type Invocation, propose } from './proposal.ts';

/** What a peer knows of its own channel, through its system chaincode. */
export interface Queries {
  /** The block that a transaction is in, and where in it; undefined when it is in none. */
  place(transactionId: string): Promise<{ readonly block: common.Block; readonly index: number } | undefined>;
  /** The number of blocks that the peer has. @param patience milliseconds; the gateway's own limit when absent */
  height(patience?: number): Promise<bigint>;
  prove(transactionId: string, block: common.Block, index: number): Promise<FabricProof>;
}

export interface QueriesOptions {
  readonly peers: GatewayPeers;
  readonly channel: string;
  /** The node's own organisation, which alone is believed without a proof, and the others. */
  readonly mspId: string;
  readonly others: readonly string[];
  readonly clock: () => number;
}

/** https://hyperledger-fabric.readthedocs.io/en/latest/developapps/chaincodenamespace.html#system-chaincode */
export const QUERY_CHAINCODE = 'qscc';
export const TRANSACTION_QUERY = 'GetTransactionByID';

const UNKNOWN_TRANSACTION = /no such transaction ID/;

export function createQueries({ peers, channel, mspId, others, clock }: QueriesOptions): Queries {
  /** Consenters by the number of the block that set them. */
  const known = new Map<bigint, Consenters>();

  const query = (name: string, ...args: string[]): Invocation => ({
    chaincode: QUERY_CHAINCODE,
    name,
    args: [channel, ...args],
    organisations: [mspId],
  });
  const ask = (what: Invocation, patience?: number) => {
    const options = patience === undefined ? undefined : { deadline: Date.now() + patience };
    return peers.ask((peer) => propose(peer, what, clock()).evaluate(options));
  };

  async function consenters(block: common.Block): Promise<Consenters> {
    const number = lastConfigOf(block);
    const found = known.get(number);
    if (found !== undefined) return found;
    const answer = await ask(query('GetBlockByNumber', String(number)));
    const read = consentersOf(common.Block.deserializeBinary(answer));
    known.set(number, read);
    return read;
  }

  /** What became of the transaction, by our own peer and by one of another organisation that can be reached. */
  async function attest(transactionId: string): Promise<Uint8Array> {
    let last: unknown;
    for (const other of others) {
      const what = { ...query(TRANSACTION_QUERY, transactionId), organisations: [mspId, other] };
      try {
        const endorsed = await peers.ask((peer) => propose(peer, what, clock()).endorse());
        return envelopeIn(endorsed.getBytes()).getPayload_asU8();
      } catch (error) {
        // It may be down, or not have the block yet.
        last = error;
        if (failureOf(error).kind === 'defect') throw error;
      }
    }
    throw new MedSealError('ledger-unavailable', 'No other organisation confirms the transaction', { cause: last });
  }

  return {
    async place(transactionId) {
      let answer: Uint8Array;
      try {
        answer = await ask(query('GetBlockByTxID', transactionId));
      } catch (error) {
        const failure = failureOf(error);
        if (failure.kind === 'refused' && UNKNOWN_TRANSACTION.test(failure.message)) return undefined;
        throw toLedgerError(error);
      }
      const block = common.Block.deserializeBinary(answer);
      const index = envelopesOf(block).findIndex((envelope) => transactionIdOf(envelope) === transactionId);
      return { block, index };
    },

    async height(patience) {
      const answer = await ask(query('GetChainInfo'), patience);
      return BigInt(common.BlockchainInfo.deserializeBinary(answer).getHeight());
    },

    async prove(transactionId, block, index) {
      return proofOf(block, index, await consenters(block), await attest(transactionId));
    },
  };
}
