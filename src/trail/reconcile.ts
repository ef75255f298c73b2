import { MedSealError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Database } from '../storage/database/port.ts';
import type { LogKey } from '../storage/log/tiles.ts';
import { reopenAbove, selectAnchored, selectBatch, setAnchored } from '../storage/trail/log.ts';
import { LOG_NUMBER, type LogName } from './leaf.ts';
import type { Ledger } from './ledger/port.ts';

/** What comparing one log with the ledger found. */
export type Finding =
  | { readonly kind: 'agree' }
  /** The ledger had more than was recorded here, and now it is recorded. */
  | { readonly kind: 'recorded'; readonly size: number }
  /** The ledger has less than was recorded here: those batches are anchored again. */
  | { readonly kind: 'reopened'; readonly size: number }
  /** The ledger has what this database does not: an older backup. Nothing may be written before it is replayed. */
  | { readonly kind: 'behind'; readonly size: number }
  /** Both have the size, with different roots. */
  | { readonly kind: 'rewritten'; readonly size: number };

interface LedgerAnchor {
  readonly size: number;
  readonly root: string;
  readonly transactionId: string;
}

/** Compares one log's anchored head with the ledger's, and mends what can be mended. */
export async function reconcileLog(
  database: Database,
  ledger: Ledger,
  institution: { readonly id: number; readonly name: string },
  log: LogName,
): Promise<Finding> {
  const key: LogKey = { institution: institution.id, log: LOG_NUMBER[log] };
  const answer = await ledger.evaluate({ contract: 'anchor', transaction: 'read', args: [institution.name, log] });
  const theirs = JSON.parse(Buffer.from(answer).toString('utf8')) as LedgerAnchor | null;
  const ours = await selectAnchored(database, key);
  const ourSize = Number(ours?.size ?? 0n);
  const theirSize = theirs?.size ?? 0;
  if (theirs === null || theirSize < ourSize) {
    if (ourSize === 0) return { kind: 'agree' };
    await reopenAbove(database, key, theirSize);
    return { kind: 'reopened', size: theirSize };
  }
  const batch = await selectBatch(database, key, theirSize);
  if (batch === undefined) return { kind: 'behind', size: theirSize };
  if (batch.root.toString('hex') !== theirs.root) return { kind: 'rewritten', size: theirSize };
  if (theirSize === ourSize) return { kind: 'agree' };
  const committed = await ledger.find(theirs.transactionId);
  if (committed === undefined) throw new MedSealError('ledger-unavailable', 'The ledger does not show its own anchor');
  const { transactionId, block } = committed;
  await setAnchored(database, batch, { transactionId, block, at: new Date().toISOString() });
  return { kind: 'recorded', size: theirSize };
}

/** Why writes are refused, as long as they are. */
export interface Fence {
  /** @throws MedSealError `fenced` */
  check(): void;
  readonly reason: string | undefined;
}

export interface Reconciler extends Fence {
  run(): Promise<void>;
}

/** Compares every log of every institution; fences writes where the database is behind its own ledger. */
export function createReconciler(
  database: Database,
  ledger: Ledger,
  institutions: () => readonly { readonly id: number; readonly name: string }[],
  logger: Logger,
): Reconciler {
  let reason: string | undefined;
  return {
    get reason() {
      return reason;
    },
    check() {
      if (reason !== undefined) throw new MedSealError('fenced', `Writes are refused: ${reason}`);
    },
    async run() {
      let found: string | undefined;
      for (const institution of institutions()) {
        for (const log of ['records', 'access'] as const) {
          const finding = await reconcileLog(database, ledger, institution, log);
          if (finding.kind === 'agree') continue;
          logger.warn({ institution: institution.name, log, ...finding }, 'the database and the ledger differed');
          if (finding.kind === 'behind') found = 'the database is older than its ledger and must be replayed';
          if (finding.kind === 'rewritten') found = 'the log differs from what the ledger anchors';
        }
      }
      reason = found;
    },
  };
}
