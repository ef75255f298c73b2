import { join } from 'node:path';
import type { Config } from '../config.ts';
import { MedSealError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { openKuboStore } from '../storage/content/kubo/kubo-store.ts';
import { type MigrationEvent, migrateStore } from '../storage/content/migration/migrate-store.ts';

/**
 * From the data directory's CAR files to Kubo. A server may run meanwhile, on either of the two.
 *
 * @throws MedSealError `invalid-configuration` when there is nothing to migrate, or nowhere to
 */
export async function* composeStoreMigration(config: Config, logger: Logger): AsyncGenerator<MigrationEvent> {
  const { ipfsApis: apis, dataDirectory } = config;
  if (apis.length === 0) throw new MedSealError('invalid-configuration', 'MEDSEAL_IPFS_API does not say where to.');
  const store = openKuboStore({ apis, logger, repairInterval: Number.POSITIVE_INFINITY });
  try {
    yield* migrateStore({ directory: join(dataDirectory, 'content'), target: store, kept: store.kept() });
  } finally {
    await store.close();
  }
}
