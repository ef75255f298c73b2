import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { MedSealError } from '../errors.ts';
import { faultDrill } from '../fault-drill.ts';
import type { Faults } from '../faults.ts';
import type { Logger } from '../logger.ts';
import { startClock } from '../repository/clock.ts';
import { loadInstitutions } from '../repository/institutions.ts';
import { createNames } from '../repository/names.ts';
import { createRecordOpener } from '../repository/records.ts';
import { createVersionLoader } from '../repository/version-loader.ts';
import { createIdentities } from '../sealing/identity.ts';
import { createKeyService } from '../sealing/key-service.ts';
import { loadMasterKey } from '../sealing/master-key.ts';
import { createRandomPool } from '../sealing/random.ts';
import { openCarStore } from '../storage/content/car/car-store.ts';
import type { ContentStore } from '../storage/content/port.ts';
import { openEmbeddedDatabase } from '../storage/database/embedded/embedded.ts';
import { openExternalDatabase } from '../storage/database/external.ts';
import { readAllMigrations } from '../storage/database/open.ts';
import type { Database } from '../storage/database/port.ts';

/** Everything that a stage above storage/ and sealing/ is built of. */
export type Foundation = Awaited<ReturnType<typeof composeFoundation>>;

export interface FoundationOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** Without a trailing slash. */
  readonly publicUrl: string;
}

/** Storage, keys, and the repository's own readers. */
export async function composeFoundation({ config, logger, publicUrl }: FoundationOptions) {
  const faults = faultDrill(config.fault, logger);
  const random = createRandomPool();
  const database = await openDatabase(config, logger, faults);
  const content = await openContent(config, logger, faults);
  const master = loadMasterKey(config.masterKeyFile);
  const keys = createKeyService({ database, master, faults });
  const migrations = await readAllMigrations();
  const secret = await keys.secret('index');
  const identities = createIdentities(secret);
  const clock = await startClock(database, logger);
  const institutions = await loadInstitutions(database, logger);
  const names = createNames({ institutions, identities, publicUrl });
  const loader = createVersionLoader(database);
  const opener = createRecordOpener({ keys, identities, institutions, loader, content });
  return {
    config,
    logger,
    publicUrl,
    faults,
    random,
    database,
    content,
    master,
    migrations,
    keys,
    secret,
    identities,
    clock,
    institutions,
    names,
    loader,
    opener,
  };
}

interface OpenContentStore extends ContentStore {
  close(): Promise<void>;
}

async function openContent(config: Config, logger: Logger, faults: Faults): Promise<OpenContentStore> {
  const { ipfsApis, dataDirectory } = config;
  const directory = join(dataDirectory, 'content');
  if (ipfsApis.length === 0) return openCarStore({ directory, logger, faults });
  if (existsSync(directory)) {
    logger.warn({ directory }, 'there are still CAR files; medseal migrate-store copies what is not on IPFS yet');
  }
  // Only who uses it pays for it at the start.
  const { openKuboStore } = await import('../storage/content/kubo/kubo-store.ts');
  return openKuboStore({ apis: ipfsApis, logger, faults });
}

function openDatabase(config: Config, logger: Logger, faults: Faults): Promise<Database> {
  const { databaseUrl: recordsUrl, keyDatabaseUrl: keysUrl, dataDirectory } = config;
  if (recordsUrl === undefined && keysUrl === undefined) return openEmbeddedDatabase({ dataDirectory, logger, faults });
  if (recordsUrl !== undefined && keysUrl !== undefined)
    return openExternalDatabase({ recordsUrl, keysUrl, logger, faults });
  throw new MedSealError('invalid-configuration', 'MEDSEAL_DATABASE_URL and MEDSEAL_KEY_DATABASE_URL go together');
}
