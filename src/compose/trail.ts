import type { Metrics } from '../api/metrics.ts';
import { MedSealError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { keepSpaceReserve } from '../storage/space-reserve.ts';
import { selectBacklog } from '../storage/trail/backlog.ts';
import { createAccessRetention } from '../trail/access-retention.ts';
import { createAccessSegments } from '../trail/access-segments.ts';
import { createAccessTrail } from '../trail/access-trail.ts';
import { createConsentRelay } from '../trail/consent-relay.ts';
import type { TrustRoots } from '../trail/evidence/roots.ts';
import { startFollower } from '../trail/follower.ts';
import { LOG_NUMBER } from '../trail/leaf.ts';
import { createReconciler, joinFences, type Reconciler } from '../trail/reconcile.ts';
import { createRelay } from '../trail/relay.ts';
import { createSequencer } from '../trail/sequencer.ts';
import { startTrailWorker } from '../trail/worker.ts';
import type { Foundation } from './foundation.ts';
import { type LedgerPart, openLedger } from './ledger.ts';

/** The ledger, and what carries every change to it. */
export type Trail = Awaited<ReturnType<typeof composeTrail>>;

export async function composeTrail(foundation: Foundation, metrics: Metrics, onRoots: (roots: TrustRoots) => void) {
  const { database, content, keys, identities, institutions, random, clock, faults, logger } = foundation;
  const part = await openLedger(foundation);
  const { ledger, roots, past } = part;
  onRoots(roots);
  const reconciler = createReconciler({ database, ledger, past, institutions: institutions.own, logger });
  await compareWithLedger(reconciler, logger);
  const space = await keepSpaceReserve({ freeBytes: async () => (await database.status()).freeBytes, logger });
  const institutionName = (id: number): string => institutions.byId(id)?.name ?? '';
  const worker = startTrailWorker({
    sequencer: createSequencer({ database, now: clock.now, faults }),
    relay: createRelay({
      database,
      content,
      ledger,
      predecessor: past && (() => past.describe()),
      institutionName,
      now: clock.now,
      faults,
      logger,
      onHeld: metrics.countHeldBatch,
    }),
    consents: createConsentRelay({ database, ledger, institutionName, logger }),
    reconciler,
    logger,
  });
  const follower = part.isShared ? followLedger(foundation, part, reconciler, metrics) : undefined;
  const segments = createAccessSegments(database, keys, random);
  const access = createAccessTrail({ database, segments, identities, random, onCommit: worker.wake });
  const retention = createAccessRetention({
    database,
    trail: access,
    institutions: institutions.own,
    now: clock.now,
    onCommit: worker.wake,
  });
  return {
    ledger,
    roots,
    past,
    reconciler,
    fence: joinFences([reconciler, space]),
    worker,
    access,
    retention,
    ledgerStatus: part.status,
    /** What is looked up only when somebody asks for the metrics. */
    async measure() {
      const [backlog, status] = await Promise.all([selectBacklog(database), part.status()]);
      for (const [name, log] of Object.entries(LOG_NUMBER)) metrics.setBacklog(name, backlog.get(log) ?? 0);
      metrics.setLedger(status.reachable, status.blocks);
    },
    async close() {
      space.stop();
      await follower?.stop();
      await worker.stop();
      part.close();
    },
  };
}

/** What must never be seen on the ledger counts as an alarm, and the fence is looked at again. */
function followLedger(foundation: Foundation, part: LedgerPart, reconciler: Reconciler, metrics: Metrics) {
  const { database, institutions, logger } = foundation;
  return startFollower({
    database,
    ledger: part.ledger,
    institutions: institutions.own,
    height: async () => (await part.status()).blocks,
    onAlarm: async (alarm) => {
      metrics.countLedgerAlarm(alarm);
      await reconciler.run();
    },
    logger,
  });
}

/** Before anything is served: a database that is older than its ledger takes no writes. */
async function compareWithLedger(reconciler: Reconciler, logger: Logger): Promise<void> {
  try {
    await reconciler.run();
  } catch (error) {
    if (!(error instanceof MedSealError) || error.code !== 'ledger-unavailable') throw error;
    logger.warn({ err: error }, 'the ledger cannot be compared yet; nothing is anchored before it is');
  }
}
