import { MedSealError } from '../../../errors.ts';
import type { Faults } from '../../../faults.ts';
import { canonicalJson } from '../../../fhir/json/canonical.ts';
import type { Logger } from '../../../logger.ts';
import type { Database } from '../../../storage/database/port.ts';
import { appendBlock, asWriter, findBlockOf, lockCommitter, readBlocks } from '../../../storage/ledger/blocks.ts';
import type { Ledger, PreparedTransaction } from '../port.ts';
import { committedOf, recordedOf, sealBlock } from './blocks.ts';
import { type Committer, commit } from './commit.ts';
import { type ContractClass, contractHost, loadContracts } from './contracts.ts';
import { endorse, propose, simulate } from './endorse.ts';
import { transactionIdOf } from './envelope.ts';
import { followBlocks } from './follow.ts';
import { type LedgerClient, type LedgerIdentities, ledgerRoots } from './identities.ts';
import { asLedger } from './ledger-error.ts';
import { privateKey } from './signatures.ts';
import { stateReader } from './state-reader.ts';
import { pinnedKeys } from './verify-envelope.ts';

export interface EmbeddedLedgerOptions {
  readonly database: Database;
  readonly identities: LedgerIdentities;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  readonly faults: Faults;
  readonly logger: Logger;
  /** Who submits; the node's own client when absent. */
  readonly client?: LedgerClient;
  /** The organisations' clock, when it is not the client's. */
  readonly endorserClock?: () => number;
  /** What runs; MedSeal's contracts when absent. */
  readonly contracts?: readonly ContractClass[];
}

/**
 * The contracts in process, over PostgreSQL: simulated by every organisation, endorsed, ordered one by one, validated
 * by versions and policies, kept in hash-linked signed blocks. Any number of replicas may share one database.
 *
 * @throws MedSealError `invalid-configuration` when the database holds a ledger of other keys
 */
export async function createEmbeddedLedger(options: EmbeddedLedgerOptions): Promise<Ledger> {
  const { database, identities, clock, faults, logger } = options;
  const client = options.client ?? identities.client;
  const { credential } = client;
  const creator = privateKey(client);
  const classes = options.contracts ?? (await loadContracts());
  const endorsers = identities.organisations.map((organisation) => ({
    mspId: organisation.mspId,
    key: privateKey(organisation),
    contracts: contractHost(classes, options.endorserClock ?? clock),
  }));
  const [own] = endorsers;
  if (own === undefined) throw new MedSealError('invalid-configuration', 'An embedded ledger needs organisations');
  const keys = pinnedKeys(ledgerRoots(identities));
  const committer: Committer = { database, keys, signer: privateKey(identities.blockSigner), clock };
  await asLedger(() => begin(committer, identities));
  const { mspId } = credential;
  const others = endorsers.map((endorser) => endorser.mspId).filter((each) => each !== mspId);

  return {
    membership: { mspId, others },

    prepare: (call) =>
      asLedger(async (): Promise<PreparedTransaction> => {
        const proposal = propose(call, credential, clock());
        const envelope = await endorse(proposal, creator, endorsers, stateReader(database));
        return { transactionId: transactionIdOf(proposal), bytes: Buffer.from(canonicalJson(envelope)) };
      }),

    submit: (bytes) =>
      asLedger(async () => {
        const committed = committedOf(await commit(bytes, committer));
        await faults.at('anchor-outcome-unknown');
        if (committed.status !== 'VALID') logger.warn(described(committed), 'a transaction was not valid');
        return committed;
      }),

    find: (transactionId) =>
      asLedger(async () => {
        const row = await findBlockOf(asWriter(database), Buffer.from(transactionId, 'hex'));
        return row && recordedOf(row);
      }),

    evaluate: (call) =>
      asLedger(async () => {
        const { response } = await simulate(propose(call, credential, clock()), own.contracts, stateReader(database));
        return Buffer.from(response);
      }),

    blocks: (from, signal) => followBlocks(database, keys, from, signal),
  };
}

/** Writes block 0, or checks that the one that is there is of the same keys. */
async function begin({ database, keys, signer, clock }: Committer, identities: LedgerIdentities): Promise<void> {
  const roots = ledgerRoots(identities);
  await database.transaction('writer', async (sql) => {
    await lockCommitter(sql);
    const [first] = await readBlocks(sql, 0n, 1);
    if (first === undefined) {
      const block = { head: undefined, channel: keys.channel, data: roots, transactionId: null, status: 'VALID' };
      return appendBlock(sql, sealBlock({ ...block, time: clock() }, signer));
    }
    if (first.data.toString('utf8') !== canonicalJson(roots)) {
      throw new MedSealError('invalid-configuration', 'The database holds a ledger of other keys');
    }
  });
}

function described({ transactionId, status, block }: { transactionId: string; status: string; block: bigint }): object {
  return { transactionId, status, block: String(block) };
}
