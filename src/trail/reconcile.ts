import { MedSealError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Database } from '../storage/database/port.ts';
import type { LogKey } from '../storage/log/tiles.ts';
import { foldBatches } from '../storage/trail/carried.ts';
import { reopenEntries } from '../storage/trail/consent-entries.ts';
import {
  type BatchRow,
  reopenAbove,
  selectAnchored,
  selectBatch,
  setAnchored,
  setManifest,
} from '../storage/trail/log.ts';
import { type Anchor, ownAnchors } from './anchors.ts';
import { LOG_NUMBER, type LogName } from './leaf.ts';
import type { PastLedger } from './ledger/embedded/past.ts';
import type { Ledger } from './ledger/port.ts';

/** What comparing one log with the ledger found. */
export type Finding =
  | { readonly kind: 'agree' }
  /** The ledger had more than was recorded here, and now it is recorded. */
  | { readonly kind: 'recorded'; readonly size: number }
  /** The ledger has less than was recorded here: those batches are anchored again. */
  | { readonly kind: 'reopened'; readonly size: number }
  /** This ledger has nothing of a log that the one before anchored up to here: that head becomes its first anchor. */
  | { readonly kind: 'carried'; readonly size: number }
  /** The ledger has what this database does not: an older backup. Nothing may be written before it is replayed. */
  | { readonly kind: 'behind'; readonly size: number }
  /** Both have leaves up to this size, and not the same. */
  | { readonly kind: 'rewritten'; readonly size: number };

/**
 * Compares one log's anchored head with the ledger's, and mends what can be mended.
 *
 * @param theirs the ledger's newest anchor of the log
 */
async function reconcileLog(
  { database, ledger, past }: ReconcilerOptions,
  key: LogKey,
  theirs: Anchor | undefined,
): Promise<Finding> {
  const ours = await selectAnchored(database, key);
  const ourSize = Number(ours?.size ?? 0n);
  if (theirs === undefined) return ours === undefined ? { kind: 'agree' } : startOver(database, past, ours);
  const { size } = theirs;
  const batch = await selectBatch(database, key, size);
  if (batch === undefined) return { kind: size > ourSize ? 'behind' : 'rewritten', size };
  if (batch.root.toString('hex') !== theirs.root) return { kind: 'rewritten', size };
  if (size === ourSize) return { kind: 'agree' };
  if (size < ourSize) {
    await reopenAbove(database, key, size);
    return { kind: 'reopened', size };
  }
  const committed = await ledger.find(theirs.transactionId);
  if (committed === undefined) throw new MedSealError('ledger-unavailable', 'The ledger does not show its own anchor');
  const { transactionId, block } = committed;
  // Where a backup was made before it was stored.
  if (batch.manifest !== theirs.manifest) await setManifest(database, batch, theirs.manifest);
  await setAnchored(database, batch, { transactionId, block, at: theirs.time });
  return { kind: 'recorded', size };
}

/** On a ledger that knows nothing of a log, nor of its institution's consents. */
async function startOver(database: Database, past: PastLedger | undefined, ours: BatchRow): Promise<Finding> {
  if (ours.log === LOG_NUMBER.records) await reopenEntries(database, ours.institution);
  const { transactionId } = ours;
  const before = transactionId === null ? undefined : await past?.blockOf(transactionId);
  if (before === undefined) {
    await reopenAbove(database, ours, 0);
    return { kind: 'reopened', size: 0 };
  }
  const size = Number(ours.size);
  await foldBatches(database, ours, size);
  return { kind: 'carried', size };
}

/** Why writes are refused, as long as they are. */
export interface Fence {
  /** @throws MedSealError `fenced`, or what else the reason is */
  check(): void;
  readonly reason: string | undefined;
}

/** Any of them holds. */
export function joinFences(fences: readonly Fence[]): Fence {
  return {
    check() {
      for (const fence of fences) fence.check();
    },
    get reason() {
      return fences.find(({ reason }) => reason !== undefined)?.reason;
    },
  };
}

export interface Reconciler extends Fence {
  /** @throws MedSealError `ledger-unavailable` */
  run(): Promise<void>;
}

export interface ReconcilerOptions {
  readonly database: Database;
  readonly ledger: Ledger;
  /** The ledger that this node wrote to before, where that was its own. */
  readonly past?: PastLedger | undefined;
  readonly institutions: () => readonly { readonly id: number; readonly name: string }[];
  readonly logger: Logger;
}

/**
 * Compares every log with the ledger, also those of institutions that this database knows nothing of, and fences writes
 * where the database is behind its own ledger.
 */
export function createReconciler(options: ReconcilerOptions): Reconciler {
  const { ledger, institutions, logger } = options;
  let reason: string | undefined;

  async function compare(): Promise<string | undefined> {
    const theirs = await ownAnchors(ledger);
    let found: string | undefined;
    for (const { id, name } of institutions()) {
      for (const log of ['records', 'access'] as const) {
        const anchor = theirs.get(`${name} ${log}`);
        theirs.delete(`${name} ${log}`);
        const finding = await reconcileLog(options, { institution: id, log: LOG_NUMBER[log] }, anchor);
        found = note(name, log, finding) ?? found;
      }
    }
    for (const { institution, log, size } of theirs.values()) {
      found = note(institution, log, { kind: 'behind', size }) ?? found;
    }
    return found;
  }

  function note(institution: string, log: LogName, finding: Finding): string | undefined {
    const fence = REASONS[finding.kind];
    // One that stands already was told of.
    if (finding.kind !== 'agree' && (fence === undefined || fence !== reason)) {
      logger.warn({ institution, log, ...finding }, 'the database and the ledger differed');
    }
    return fence;
  }

  return {
    get reason() {
      return reason;
    },
    check() {
      if (reason !== undefined) throw new MedSealError('fenced', `Writes are refused: ${reason}`);
    },
    async run() {
      reason = await compare();
    },
  };
}

const REASONS: Readonly<Partial<Record<Finding['kind'], string>>> = {
  behind: 'the database is older than its ledger; medseal rebuild replays what it lacks',
  rewritten: 'a log differs from what the ledger anchors',
};
