import { hash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { FabricConfig } from '../../../config.ts';
import { MedSealError } from '../../../errors.ts';
import type { Faults } from '../../../faults.ts';
import type { Logger } from '../../../logger.ts';
import type { CommittedTransaction, ContractCall, Ledger, PreparedTransaction, RecordedTransaction } from '../port.ts';
import { numberOf, statusAt } from './block.ts';
import { readPrepared } from './envelope.ts';
import { failureOf, toLedgerError } from './failure.ts';
import { followBlocks } from './follow.ts';
import { connectPeers } from './peers.ts';
import { envelopeIn, invocationOf, preparedFrom, propose } from './proposal.ts';
import { createQueries } from './queries.ts';
import type { FabricRoots } from './roots.ts';
import { createStatus, type FabricStatus } from './status.ts';
import { createSubmission } from './submission.ts';

export interface FabricLedgerOptions {
  readonly config: FabricConfig;
  /** What evidence is verified with; its organisations are the members that may endorse. */
  readonly roots: FabricRoots;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  readonly faults: Faults;
  readonly logger: Logger;
}

export interface FabricLedger extends Ledger {
  /** Never throws; for `/ready`. */
  status(): Promise<FabricStatus>;
  /** Ends the connections to the peers. */
  close(): void;
}

/**
 * How long an endorser of another organisation is waited for that does not have the newest block yet, milliseconds:
 * every further try waits twice as long.
 */
const LAG_DELAYS = [50, 100, 200, 400, 800];

/**
 * A Hyperledger Fabric channel, through the gateways of the node's own peers. Nothing is connected before it is used, so
 * that a node starts while the ledger is down.
 *
 * @throws MedSealError `invalid-configuration` when a file that `config` names is missing or damaged, or `roots` are of
 *   another channel
 */
export function createFabricLedger({ config, roots, clock, faults, logger }: FabricLedgerOptions): FabricLedger {
  const { mspId, channel, chaincode } = config;
  const members = roots.organisations.map((organisation) => organisation.mspId);
  if (roots.channel !== channel || roots.chaincode !== chaincode || !members.includes(mspId)) {
    throw new MedSealError('invalid-configuration', 'MEDSEAL_FABRIC: the trust roots are of another channel');
  }
  const others = members.filter((each) => each !== mspId);
  const peers = connectPeers(config, logger);
  const queries = createQueries({ peers, channel, mspId, others, clock });
  const submission = createSubmission(peers, find);

  async function endorse(call: ContractCall): Promise<PreparedTransaction> {
    const transaction = await peers.ask((peer) => propose(peer, invocationOf(call, chaincode), clock()).endorse());
    const envelope = envelopeIn(transaction.getBytes());
    envelope.setSignature(await peers.signer(hash('sha256', envelope.getPayload_asU8(), 'buffer')));
    return { transactionId: transaction.getTransactionId(), bytes: envelope.serializeBinary() };
  }

  /** Whether the same call may be endorsed in a moment, because a peer that was asked does not have the last block. */
  async function isBehind(error: unknown): Promise<boolean> {
    const failure = failureOf(error);
    if (failure.kind === 'disagreed') return true;
    if (failure.kind !== 'refused') return false;
    // Our own peer is asked first: where others refuse, it has agreed.
    return !failure.by.includes(mspId) || (await isPeerBehind());
  }

  /** Whether the peer that is asked now lacks a block that another one has told of. */
  async function isPeerBehind(): Promise<boolean> {
    const teller = submission.toldBy();
    if (teller === undefined || teller === peers.current()) return false;
    return (await queries.height()) <= submission.newestBlock();
  }

  async function prepare(call: ContractCall): Promise<PreparedTransaction> {
    for (const wait of LAG_DELAYS) {
      try {
        return await endorse(call);
      } catch (error) {
        if (!(await isBehind(error))) throw error;
        await delay(wait);
      }
    }
    return endorse(call);
  }

  async function find(transactionId: string): Promise<RecordedTransaction | undefined> {
    const place = await queries.place(transactionId);
    if (place === undefined) return undefined;
    const { block, index } = place;
    const prove = () => asLedger(() => queries.prove(transactionId, block, index));
    return { transactionId, status: statusAt(block, index), block: numberOf(block), prove };
  }

  async function asLedger<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const told = toLedgerError(error);
      if (failureOf(error).kind === 'denied') logger.error({ err: error }, 'the ledger does not accept this node');
      throw told;
    }
  }

  return {
    membership: { mspId, others },
    prepare: (call) => asLedger(() => prepare(call)),
    submit: (bytes) =>
      asLedger(async (): Promise<CommittedTransaction> => {
        const { transactionId, channel: of } = readPrepared(bytes);
        if (of !== channel) throw new MedSealError('ledger-rejected', 'The transaction is of another channel');
        const committed = await submission.submit(preparedFrom(bytes, transactionId), transactionId);
        await faults.at('anchor-outcome-unknown');
        if (committed.status !== 'VALID') {
          logger.warn({ ...committed, block: String(committed.block) }, 'a transaction was not valid');
        }
        return committed;
      }),
    find: (transactionId) => asLedger(() => find(transactionId)),
    evaluate: (call) =>
      asLedger(async () => {
        if (await isPeerBehind()) {
          throw new MedSealError('ledger-unavailable', 'The peer does not have the newest block yet');
        }
        const what = { ...invocationOf(call, chaincode), organisations: [mspId] };
        return peers.ask((peer) => propose(peer, what, clock()).evaluate());
      }),
    blocks: (from, signal) => followBlocks(peers, from, signal),
    status: createStatus(queries),
    close: () => peers.close(),
  };
}
