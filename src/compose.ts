import type { Server } from 'node:http';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { createApp } from './api/app.ts';
import { createBodyBudget } from './api/body-budget.ts';
import { createMetrics } from './api/metrics.ts';
import type { PublicContext } from './api/public-operations.ts';
import { createAuthenticator } from './auth/authenticate.ts';
import { createChangeFeed } from './auth/changes.ts';
import { type ClientRegistry, createClientRegistry } from './auth/clients.ts';
import { createEgress } from './auth/egress.ts';
import { createEmbeddedTokens } from './auth/embedded-tokens.ts';
import { createExternalIssuer } from './auth/external-issuer.ts';
import { createExternalTokens } from './auth/external-tokens.ts';
import { createSealedBox } from './auth/sealed-box.ts';
import { type AuthorizationServer, createAuthorizationServer } from './auth/server.ts';
import { generateServerSecrets, type ServerSecrets } from './auth/server-secrets.ts';
import { embeddedMetadata, smartConfiguration } from './auth/smart-configuration.ts';
import type { Config } from './config.ts';
import { createAccessRecorder } from './consent/access-recorder.ts';
import { createConsentStore } from './consent/consent-store.ts';
import { createDescriber } from './consent/describe.ts';
import { createGuardedReader } from './consent/guarded-reader.ts';
import { createGuardedTrail } from './consent/guarded-trail.ts';
import { createGuardedWriter } from './consent/guarded-writer.ts';
import { createPrincipalResolver } from './consent/principal.ts';
import { createFactsReader } from './consent/record-facts.ts';
import { MedSealError } from './errors.ts';
import { faultDrill } from './fault-drill.ts';
import { createSearchRegistry } from './fhir/search/registry.ts';
import { createValidator } from './fhir/validation/validate.ts';
import { createCursors } from './interactions/search/cursor.ts';
import type { Services } from './interactions/services.ts';
import { createReplays } from './interactions/write/replay.ts';
import type { Logger } from './logger.ts';
import { startClock } from './repository/clock.ts';
import { type InstitutionDirectory, loadInstitutions } from './repository/institutions.ts';
import { createNames } from './repository/names.ts';
import { createOwnPartition } from './repository/own-partition.ts';
import { createPermittedReader } from './repository/permitted.ts';
import { createPermittedAccessReader } from './repository/permitted-access.ts';
import { createRecordOpener } from './repository/records.ts';
import { createVersionLoader } from './repository/version-loader.ts';
import { createVersionWriter } from './repository/write.ts';
import { createSources } from './sealing/blind-index/sources.ts';
import { createTokenizer } from './sealing/blind-index/tokenizer.ts';
import { createIdentities, deriveKey } from './sealing/identity.ts';
import { createKeyService } from './sealing/key-service.ts';
import { loadMasterKey } from './sealing/master-key.ts';
import { createRandomPool } from './sealing/random.ts';
import { openCarStore } from './storage/content/car/car-store.ts';
import { openEmbeddedDatabase } from './storage/database/embedded/embedded.ts';
import { openExternalDatabase } from './storage/database/external.ts';
import type { Database } from './storage/database/port.ts';
import { createAccessSegments } from './trail/access-segments.ts';
import { createAccessTrail } from './trail/access-trail.ts';
import { createEvidenceCollector } from './trail/evidence/collect.ts';
import { ROOTS_FORMAT, type TrustRoots } from './trail/evidence/roots.ts';
import { generateLedgerIdentities, ledgerRoots, parseLedgerIdentities } from './trail/ledger/embedded/identities.ts';
import { createEmbeddedLedger } from './trail/ledger/embedded/ledger.ts';
import { createReceiptSigner } from './trail/receipt.ts';
import { createReconciler } from './trail/reconcile.ts';
import { registerInstitution } from './trail/registration.ts';
import { createRelay } from './trail/relay.ts';
import { createSequencer } from './trail/sequencer.ts';
import { startTrailWorker, type TrailWorker } from './trail/worker.ts';

/** A node that serves. */
export interface Node {
  readonly app: FastifyInstance;
  readonly clients: ClientRegistry;
  readonly institutions: InstitutionDirectory;
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
  /** Further conditions of `/ready`. */
  readonly isSetUp: () => boolean;
}

const BODY_LIMIT = 32 * 1024 * 1024;
/** Bodies under way together. */
const BODY_BUDGET = 4 * BODY_LIMIT;

/** The composition root: the whole wiring of a node, and the only place that picks adapters (DESIGN §2). */
export async function compose(options: ComposeOptions): Promise<Node> {
  const { config, logger, server, publicUrl, version } = options;
  if (config.ipfsApis.length > 0) throw notYet('MEDSEAL_IPFS_API');
  if (config.fabric !== undefined) throw notYet('MEDSEAL_FABRIC');
  const faults = faultDrill(config.fault);
  const random = createRandomPool();
  const metrics = createMetrics();

  // storage and sealing
  const database = await openDatabase(config, logger);
  const content = await openCarStore({ directory: join(config.dataDirectory, 'content'), logger, faults });
  const keys = createKeyService({ database, master: loadMasterKey(config.masterKeyFile), faults });
  const secret = await keys.secret('index');
  const identities = createIdentities(secret);
  const tokenizer = createTokenizer(secret);

  // repository
  const clock = await startClock(database, logger);
  const institutions = await loadInstitutions(database, logger);
  const names = createNames({ institutions, identities, publicUrl });
  const loader = createVersionLoader(database);
  const own = createOwnPartition(database, keys);
  const opener = createRecordOpener({ keys, identities, institutions, content });

  // trail
  const ledgerSecret = await keys.secret('embedded ledger', () =>
    Buffer.from(JSON.stringify(generateLedgerIdentities())),
  );
  const ledgerIdentities = parseLedgerIdentities(ledgerSecret.toString('utf8'));
  const ledger = await createEmbeddedLedger({
    database,
    identities: ledgerIdentities,
    clock: Date.now,
    faults,
    logger,
  });
  const reconciler = createReconciler(database, ledger, institutions.all, logger);
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
  const trail = createAccessTrail({ database, segments, identities, random, onCommit: worker.wake });

  // consent
  const registry = createSearchRegistry();
  const sourcesOf = createSources();
  const facts = createFactsReader(registry, names);
  const principals = createPrincipalResolver({ institutions, names, tokenizer });
  const contentKey = deriveKey(secret, 'content');
  const describer = createDescriber({ registry, names, facts, tokenizer, sourcesOf, contentKey });
  const writer = createVersionWriter({ database, keys, identities, random, faults, onCommit: worker.wake });
  const services: Services = {
    reader: createGuardedReader({
      reader: createPermittedReader(database),
      opener,
      consents: createConsentStore(loader, opener, names),
      principals,
      facts,
      names,
      logger,
      onDisagreement: metrics.countDisagreement,
    }),
    writer: createGuardedWriter({ writer, describer, institutions, names, loader, opener, facts }),
    trail: createGuardedTrail({ reader: createPermittedAccessReader(database), trail, principals, institutions }),
    own,
    institutions,
    names,
    registry,
    validator: createValidator(),
    tokenizer,
    sourcesOf,
    receipts: createReceiptSigner(keys),
    evidence: createEvidenceCollector(database, ledger),
    cursors: createCursors(secret, random),
    replays: createReplays({ database, keys, identities, secret, random }),
    fence: reconciler,
    publicUrl,
  };

  // auth
  const stored = await keys.secret('authorization server', async () =>
    Buffer.from(JSON.stringify(await generateServerSecrets())),
  );
  const auth = await composeAuth(
    config,
    logger,
    database,
    publicUrl,
    JSON.parse(stored.toString('utf8')) as ServerSecrets,
  );

  // api
  const onInstitution = (name: string): Promise<void> => registerInstitution(ledger, name);
  const publicContext: PublicContext = {
    services,
    metrics,
    version,
    smartConfiguration: auth.smartConfiguration,
    readiness: async () => {
      const [storage, blocks] = await Promise.all([database.status(), content.status()]);
      const writes = reconciler.reason ?? 'accepted';
      const ready = storage.reachable && blocks.reachable && options.isSetUp();
      return {
        ready,
        database: storage,
        content: blocks,
        ledger: 'embedded',
        writes,
        institutions: institutions.all().length,
      };
    },
  };
  const app = await createApp({
    services,
    administration: { clients: auth.clients, institutions, onInstitution },
    publicContext,
    authenticator: auth.authenticator,
    authorization: auth.server,
    recorder: createAccessRecorder(trail, institutions, names),
    clock,
    budget: createBodyBudget(BODY_BUDGET),
    bodyLimit: BODY_LIMIT,
    server,
    logger,
    metrics,
  });
  for (const institution of institutions.all()) await onInstitution(institution.name);

  return {
    app,
    clients: auth.clients,
    institutions,
    roots: { format: ROOTS_FORMAT, ledger: ledgerRoots(ledgerIdentities) },
    worker,
    async close() {
      clock.stop();
      auth.server?.close();
      await worker.stop();
      await content.close();
      await database.close();
    },
  };
}

function notYet(variable: string): MedSealError {
  return new MedSealError('invalid-configuration', `${variable}: this version has no adapter for it yet`);
}

function openDatabase(config: Config, logger: Logger): Promise<Database> {
  const { databaseUrl: recordsUrl, keyDatabaseUrl: keysUrl, dataDirectory } = config;
  if (recordsUrl === undefined && keysUrl === undefined) return openEmbeddedDatabase({ dataDirectory, logger });
  if (recordsUrl !== undefined && keysUrl !== undefined) return openExternalDatabase({ recordsUrl, keysUrl, logger });
  throw new MedSealError('invalid-configuration', 'MEDSEAL_DATABASE_URL and MEDSEAL_KEY_DATABASE_URL go together');
}

async function composeAuth(
  config: Config,
  logger: Logger,
  database: Database,
  publicUrl: string,
  secrets: ServerSecrets,
) {
  const box = await createSealedBox(secrets.sealingKey);
  const changes = await createChangeFeed(database);
  const egress = createEgress({ allow: config.egressAllow });
  const common = { database, changes, box, egress, clock: Date.now };
  const clients = createClientRegistry(common);
  if (config.issuer !== undefined) {
    const published = createExternalIssuer(config.issuer, egress, Date.now);
    const institutions = clients.institutions;
    const tokens = createExternalTokens({ issuer: config.issuer, published, publicUrl, institutions, clock: Date.now });
    return {
      clients,
      server: undefined as AuthorizationServer | undefined,
      authenticator: createAuthenticator({ tokens, changes, clock: Date.now }),
      smartConfiguration: async () => smartConfiguration(await published.metadata()),
    };
  }
  const issuer = `${publicUrl}/auth`;
  const metadata = smartConfiguration(embeddedMetadata(issuer));
  return {
    clients,
    server: createAuthorizationServer({ ...common, issuer, publicUrl, clients, secrets, logger }) as
      | AuthorizationServer
      | undefined,
    authenticator: createAuthenticator({
      tokens: createEmbeddedTokens({ database, clients, box, publicUrl }),
      changes,
      clock: Date.now,
    }),
    smartConfiguration: () => Promise.resolve(metadata),
  };
}
