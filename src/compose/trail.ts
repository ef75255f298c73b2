import type { Metrics } from '../api/metrics.ts';
import { MedSealError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { keepSpaceReserve } from '../storage/space-reserve.ts';
import { createAccessSegments } from '../trail/access-segments.ts';
import { createAccessTrail } from '../trail/access-trail.ts';
import { ROOTS_FORMAT, type TrustRoots } from '../trail/evidence/roots.ts';
import { generateLedgerIdentities, ledgerRoots, parseLedgerIdentities } from '../trail/ledger/embedded/identities.ts';
import { createEmbeddedLedger } from '../trail/ledger/embedded/ledger.ts';
import { createReconciler, joinFences, type Reconciler } from '../trail/reconcile.ts';
import { createRelay } from '../trail/relay.ts';
import { createSequencer } from '../trail/sequencer.ts';
import { startTrailWorker } from '../trail/worker.ts';

import type { Foundation } from './foundation.ts';
/** The ledger, and what carries every change to it. */
export type Trail = Awaited<ReturnType<typeof composeTrail>>;

export async function composeTrail(foundation: Foundation, metrics: Metrics) {
  const { database, content, keys, identities, institutions, random, clock, faults, logger } = foundation;
  const { ledger, roots } = await openLedger(foundation);
  const reconciler = createReconciler(database, ledger, institutions.all, logger);
  await compareWithLedger(reconciler, logger);
  const space = await keepSpaceReserve({ freeBytes: async () => (await database.status()).freeBytes, logger });
  const institutionName = (id: number): string => institutions.byId(id)?.name ?? '';
  const worker = startTrailWorker({
    sequencer: createSequencer({ database, now: clock.now, faults }),
    relay: createRelay({
      database,
      content,
      ledger,
      institutionName,
      now: clock.now,
      faults,
      logger,
      onHeld: metrics.countHeldBatch,
    }),
    reconciler,
    logger,
  });
  const segments = createAccessSegments(database, keys, random);
  const access = createAccessTrail({ database, segments, identities, random, onCommit: worker.wake });
  return {
    ledger,
    roots,
    reconciler,
    fence: joinFences([reconciler, space]),
    worker,
    access,
    async close() {
      space.stop();
      await worker.stop();
    },
  };
}

/** The in-process ledger; its identities are kept like any other secret, so that a restart goes on with them. */
async function openLedger({ database, keys, faults, logger }: Foundation) {
  const stored = await keys.secret('embedded ledger', () => Buffer.from(JSON.stringify(generateLedgerIdentities())));
  const identities = parseLedgerIdentities(stored.toString('utf8'));
  const ledger = await createEmbeddedLedger({ database, identities, clock: Date.now, faults, logger });
  const roots: TrustRoots = { format: ROOTS_FORMAT, ledger: ledgerRoots(identities) };
  return { ledger, roots };
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
