import { setTimeout as delay } from 'node:timers/promises';
import { MedSealError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Database, Sql } from '../storage/database/port.ts';
import {
  advanceCheckpoint,
  type LedgerHead,
  saveHead,
  selectCheckpoint,
  selectHead,
} from '../storage/trail/follower.ts';
import { selectBatch } from '../storage/trail/log.ts';
import type { Anchor } from './anchors.ts';
import { LOG_NUMBER } from './leaf.ts';
import type { Ledger, LedgerBlock } from './ledger/port.ts';

/**
 * What must never be seen. Consensus refuses each; so either this database was restored or changed, or somebody has this
 * node's key, or our own peer does not show the channel that it showed before.
 */
export type FollowerAlarm =
  /** An anchor of our own log has another root than our batch of that size. */
  | 'anchor-differs'
  /** An anchor of our own log is of a size that we have no batch of. */
  | 'anchor-unknown'
  /** A log's anchor does not follow the one that was seen before. */
  | 'log-rewritten'
  /** The ledger has fewer blocks than were seen. */
  | 'ledger-shortened';

export interface FollowerOptions {
  readonly database: Database;
  readonly ledger: Ledger;
  readonly institutions: () => readonly { readonly id: number; readonly name: string }[];
  /** How many blocks there are; undefined when nobody can tell now. */
  readonly height: () => Promise<number | undefined>;
  readonly onAlarm: (alarm: FollowerAlarm) => Promise<void>;
  readonly logger: Logger;
  /** Milliseconds until the ledger is asked again after it could not be. */
  readonly retryInterval?: number;
}

/**
 * Reads every block of the ledger, each once over all starts and replicas: the checkpoint moves in the transaction that
 * keeps what the block brought. What others anchor is remembered, so that a log that was seen can only grow for us even
 * where a peer were to forget it; what is anchored in our name is compared with our own logs.
 */
export function startFollower(options: FollowerOptions): { stop(): Promise<void> } {
  const { database, ledger, height, onAlarm, logger, retryInterval = 5000 } = options;
  const abort = new AbortController();
  let wasUnavailable = false;

  async function raise(alarm: FollowerAlarm, place: object): Promise<void> {
    logger.error({ alarm, ...place }, 'the ledger shows what must not be');
    await onAlarm(alarm);
  }

  async function follow(): Promise<void> {
    const from = await selectCheckpoint(database);
    const blocks = await height();
    if (blocks !== undefined && BigInt(blocks) < from) {
      await raise('ledger-shortened', { blocks, seen: Number(from) });
      throw new MedSealError('ledger-unavailable', 'The ledger has fewer blocks than were seen of it');
    }
    for await (const block of ledger.blocks(from, abort.signal)) {
      wasUnavailable = false;
      const found = await database.transaction('writer', (sql) => take(sql, block));
      for (const { alarm, ...place } of found) await raise(alarm, place);
    }
  }

  async function take(sql: Sql, block: LedgerBlock) {
    if (!(await advanceCheckpoint(sql, block.number))) return [];
    const found: { alarm: FollowerAlarm; institution: string; log: string; size: number }[] = [];
    for (const anchor of anchorsOf(block)) {
      const { institution, log, size } = anchor;
      const before = await selectHead(sql, institution, LOG_NUMBER[log]);
      const alarm = continues(before, anchor) ? await compare(anchor) : 'log-rewritten';
      if (alarm !== undefined) found.push({ alarm, institution, log, size });
      await saveHead(sql, headOf(anchor, block.number));
    }
    return found;
  }

  /** Of an anchor in our own name. */
  async function compare({ institution, log, owner, size, root }: Anchor): Promise<FollowerAlarm | undefined> {
    if (owner !== ledger.membership.mspId) return undefined;
    const own = options.institutions().find(({ name }) => name === institution);
    const batch = own && (await selectBatch(database, { institution: own.id, log: LOG_NUMBER[log] }, size));
    if (batch === undefined) return 'anchor-unknown';
    return batch.root.toString('hex') === root ? undefined : 'anchor-differs';
  }

  async function run(): Promise<void> {
    while (!abort.signal.aborted) {
      try {
        await follow();
      } catch (error) {
        const unavailable = error instanceof MedSealError && error.code === 'ledger-unavailable';
        // Told once, not at every try.
        if (!unavailable || !wasUnavailable) logger.warn({ err: error }, 'the ledger cannot be followed at the moment');
        wasUnavailable = unavailable;
        await delay(retryInterval, undefined, { signal: abort.signal }).catch(() => undefined);
      }
    }
  }

  const running = run();
  return {
    async stop() {
      abort.abort();
      await running;
    },
  };
}

function* anchorsOf({ transactions }: LedgerBlock): Generator<Anchor> {
  for (const { event } of transactions) if (event?.name === 'anchor') yield JSON.parse(event.payload) as Anchor;
}

/** What was seen before is either followed at once, or is this very anchor. */
function continues(before: LedgerHead | undefined, { owner, sequence, size, transactionId }: Anchor): boolean {
  if (before === undefined) return sequence === 1;
  if (before.transactionId === transactionId) return true;
  return before.owner === owner && before.sequence + 1n === BigInt(sequence) && before.size < BigInt(size);
}

function headOf({ institution, log, owner, size, root, sequence, transactionId }: Anchor, block: bigint): LedgerHead {
  return {
    institution,
    log: LOG_NUMBER[log],
    owner,
    size: BigInt(size),
    root: Buffer.from(root, 'hex'),
    sequence: BigInt(sequence),
    transactionId,
    block,
  };
}
