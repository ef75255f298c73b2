import type { KeyObject } from 'node:crypto';
import { decodePolicy } from 'medseal-chaincode/policy';
import { isEndorsed, majority } from 'medseal-chaincode/rules';
import { MedSealError } from '../../../errors.ts';
import type { Database, Sql } from '../../../storage/database/port.ts';
import { appendBlock, type BlockRow, findBlockOf, lockCommitter, readHead } from '../../../storage/ledger/blocks.ts';
import { readVersions, writeStates } from '../../../storage/ledger/state.ts';
import type { TransactionStatus } from '../port.ts';
import { sealBlock } from './blocks.ts';
import { type Envelope, parseEnvelope, transactionIdOf } from './envelope.ts';
import { endorsersOf, isByMember, type PinnedKeys } from './verify-envelope.ts';

export interface Committer {
  readonly database: Database;
  readonly keys: PinnedKeys;
  readonly signer: KeyObject;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

type Version = Awaited<ReturnType<typeof readVersions>>[number];

/**
 * Orders, validates and commits a transaction as a block of its own, or finds the block that it is in already.
 *
 * @throws MedSealError `ledger-rejected` when the bytes are no transaction of this ledger
 */
export async function commit(bytes: Uint8Array, committer: Committer): Promise<BlockRow> {
  const { database, keys, signer, clock } = committer;
  const envelope = parseEnvelope(bytes);
  if (!isByMember(envelope, keys)) {
    throw new MedSealError('ledger-rejected', 'The transaction is not from a member of this ledger');
  }
  const transactionId = transactionIdOf(envelope.proposal);
  return database.transaction('writer', async (sql) => {
    const [, known, head, versions] = await Promise.all([
      lockCommitter(sql),
      findBlockOf(sql, Buffer.from(transactionId, 'hex')),
      readHead(sql),
      readVersions(sql, touchedKeys(envelope)),
    ]);
    if (known !== undefined) return sameTransaction(known, bytes);
    const status = validate(envelope, versions, keys);
    const time = clock();
    const block = sealBlock({ head, channel: keys.channel, data: envelope, transactionId, status, time }, signer);
    await Promise.all([appendBlock(sql, block), status === 'VALID' ? apply(sql, block.number, envelope) : undefined]);
    return block;
  });
}

/** Fabric's validation, in its order: endorsement policy, then versions. */
function validate(envelope: Envelope, versions: readonly Version[], keys: PinnedKeys): TransactionStatus {
  const stored = new Map(versions.map((version) => [version.key.toString('utf8'), version]));
  const { reads, writes, policies } = envelope.simulation;
  const signers = endorsersOf(envelope, keys) ?? new Set();
  const general = majority([...keys.organisations.keys()]);
  const keyLevel = [...writes, ...policies].map(({ key }) => {
    const policy = stored.get(key)?.policy;
    return policy ? decodePolicy(policy) : general;
  });
  const needed = keyLevel.length > 0 ? keyLevel : [general];
  if (!needed.every((rule) => isEndorsed(rule, signers))) return 'ENDORSEMENT_POLICY_FAILURE';
  const current = reads.every(({ key, version }) => Number(stored.get(key)?.version ?? -1) === (version ?? -1));
  return current ? 'VALID' : 'MVCC_READ_CONFLICT';
}

function touchedKeys({ simulation: { reads, writes, policies } }: Envelope): Buffer[] {
  return [...new Set([...reads, ...writes, ...policies].map(({ key }) => key))].map((key) => Buffer.from(key));
}

function apply(sql: Sql, block: bigint, { simulation: { writes, policies } }: Envelope): Promise<void> {
  return writeStates(
    sql,
    block,
    writes.map(({ key, value }) => ({ key: Buffer.from(key), value: Buffer.from(value) })),
    policies.map(({ key, policy }) => ({ key: Buffer.from(key), policy: Buffer.from(policy, 'hex') })),
  );
}

function sameTransaction(known: BlockRow, bytes: Uint8Array): BlockRow {
  if (Buffer.compare(known.data, bytes) !== 0) {
    throw new MedSealError('ledger-rejected', 'Another transaction with the same id is on the ledger');
  }
  return known;
}
