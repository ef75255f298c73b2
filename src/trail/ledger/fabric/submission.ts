import type { SubmittedTransaction } from '@hyperledger/fabric-gateway';
import type { CommittedTransaction } from '../port.ts';
import { statusOf } from './block.ts';
import { failureOf } from './failure.ts';
import type { GatewayPeer, GatewayPeers } from './peers.ts';

export interface Submission {
  /**
   * Sends a prepared transaction and waits for its final status. Whatever goes wrong on the way, the ledger is asked
   * first: the transaction may have got there, now or long ago.
   */
  submit(prepared: Uint8Array, transactionId: string): Promise<CommittedTransaction>;
  /** The newest block in which a transaction of ours was seen, −1 before there is one. */
  newestBlock(): bigint;
  /** Who told of it, and so has it. */
  toldBy(): GatewayPeer | undefined;
}

export function createSubmission(
  peers: GatewayPeers,
  find: (transactionId: string) => Promise<CommittedTransaction | undefined>,
): Submission {
  let newest = -1n;
  let teller: GatewayPeer | undefined;

  async function outcome(submitted: SubmittedTransaction): Promise<CommittedTransaction> {
    const transactionId = submitted.getTransactionId();
    const request = submitted.getBytes();
    const { code, blockNumber: block } = await peers.ask((peer) => peer.gateway.newCommit(request).getStatus());
    return { transactionId, status: statusOf(code), block };
  }

  async function lookUp(transactionId: string): Promise<CommittedTransaction | undefined> {
    const found = await find(transactionId);
    return found && { transactionId, status: found.status, block: found.block };
  }

  async function send(prepared: Uint8Array, transactionId: string): Promise<CommittedTransaction> {
    try {
      const submitted = await peers.ask((peer) => peer.gateway.newTransaction(prepared).submit());
      const committed = await outcome(submitted);
      // Said of the second of two copies, which the peer saw in a block just now. The first is what counts.
      return committed.status === 'DUPLICATE_TXID' ? ((await lookUp(transactionId)) ?? committed) : committed;
    } catch (error) {
      if (failureOf(error).kind === 'defect') throw error;
      // That it cannot be looked up either tells no more than the error that is there.
      const known = await lookUp(transactionId).catch(() => undefined);
      if (known === undefined) throw error;
      return known;
    }
  }

  return {
    async submit(prepared, transactionId) {
      const committed = await send(prepared, transactionId);
      if (committed.block >= newest) {
        newest = committed.block;
        teller = peers.current();
      }
      return committed;
    },
    newestBlock: () => newest,
    toldBy: () => teller,
  };
}
