import type { Server } from 'node:http';
import { availableParallelism } from 'node:os';
import type { FastifyInstance } from 'fastify';
import type { Administration } from './api/admin-operations.ts';
import { createApp } from './api/app.ts';
import { createBodyBudget } from './api/body-budget.ts';
import { createMetrics } from './api/metrics.ts';
import { composeAdministration } from './compose/administration.ts';
import { composeAuth } from './compose/authentication.ts';
import { composeFoundation } from './compose/foundation.ts';
import { startHousekeeping } from './compose/housekeeping.ts';
import { startReindexing } from './compose/reindexing.ts';
import { composeServices } from './compose/services.ts';
import { composeTrail } from './compose/trail.ts';
import type { Config } from './config.ts';
import { createGate } from './interactions/search/gate.ts';
import type { Logger } from './logger.ts';
import type { TrustRoots } from './trail/evidence/roots.ts';
import type { TrailWorker } from './trail/worker.ts';

/** A node that serves. */
export interface Node {
  readonly app: FastifyInstance;
  readonly administration: Administration;
  readonly roots: TrustRoots;
  readonly worker: TrailWorker;
  /** Ends everything that this node started, the embedded database last. */
  close(): Promise<void>;
}

export interface ComposeOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** Already listening. */
  readonly server: Server;
  /** Without a trailing slash. */
  readonly publicUrl: string;
  readonly version: string;
  /** Called before anything is compared or anchored. @throws when the node must not go on by these roots */
  readonly onRoots: (roots: TrustRoots) => void;
  /** Further conditions of `/ready`. */
  readonly isSetUp: () => boolean;
}

const BODY_LIMIT = 12 * 1024 * 1024;
/** Bodies under way together. */
const BODY_BUDGET = BODY_LIMIT;
/** Heavy searches at once: half of the machine stays for everything else. */
const HEAVY_SEARCHES = Math.max(1, Math.floor(availableParallelism() / 2));

/** The composition root: the whole wiring of a node; only it and `compose/` pick adapters (DESIGN §2). */
export async function compose(options: ComposeOptions): Promise<Node> {
  const { config, logger, server, publicUrl, version } = options;
  const metrics = createMetrics();
  const foundation = await composeFoundation({ config, logger, publicUrl });
  const { database, content, clock, institutions } = foundation;
  metrics.watchContent(content.status);
  const trail = await composeTrail(foundation, metrics, options.onRoots);
  const auth = await composeAuth(foundation);
  const composed = await composeServices(foundation, trail, metrics, auth);
  const { services, describer, actingAs } = composed;
  const administration = composeAdministration({ foundation, trail, services, describer, clients: auth.clients });

  const readiness = async () => {
    const [storage, blocks, ledger] = await Promise.all([database.status(), content.status(), trail.ledgerStatus()]);
    return {
      // Without the content store writes and reads go on, and only anchoring waits (DESIGN §9).
      ready: storage.reachable && options.isSetUp(),
      database: storage,
      content: blocks,
      ledger,
      writes: trail.fence.reason ?? 'accepted',
      institutions: institutions.own().length,
    };
  };
  const app = await createApp({
    services,
    administration,
    publicContext: { services, metrics, version, smartConfiguration: auth.smartConfiguration, readiness },
    authenticator: auth.authenticator,
    actingAs,
    authorization: auth.server,
    recorder: composed.recorder,
    clock,
    budget: createBodyBudget(BODY_BUDGET),
    bodyLimit: BODY_LIMIT,
    searchLimits: { timeout: config.searchTimeout, heavy: createGate(HEAVY_SEARCHES) },
    corsOrigins: config.corsOrigins,
    server,
    logger,
    metrics,
  });
  metrics.beforeScrape(() => trail.measure());
  const reindexing = startReindexing(foundation, services.custom, describer, metrics);
  const housekeeping = startHousekeeping(foundation, services.replays, trail.retention);
  for (const institution of institutions.own()) await administration.onInstitution(institution.name);

  return {
    app,
    administration,
    roots: trail.roots,
    worker: trail.worker,
    async close() {
      clock.stop();
      housekeeping.stop();
      await reindexing.stop();
      await composed.close();
      auth.server?.close();
      await trail.close();
      await content.close();
      await database.close();
    },
  };
}
