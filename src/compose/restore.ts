import { existsSync } from 'node:fs';
import type { Config } from '../config.ts';
import { MedSealError } from '../errors.ts';
import { type ArchiveHeader, PARTS, type Part } from '../interactions/backup/archive.ts';
import { BACKUP_SECRET } from '../interactions/backup/backup.ts';
import { lastMigration, loadPieces, readHeader } from '../interactions/backup/restore.ts';
import type { Logger } from '../logger.ts';
import { type ArchiveSeal, archiveSeal, masterSeal } from '../sealing/archive.ts';
import { loadMasterKey, type MasterKey, unwrapSecret } from '../sealing/master-key.ts';
import { beginLoad } from '../storage/backup/load.ts';
import { startEmbedded } from '../storage/database/embedded/embedded.ts';
import { externalOwners } from '../storage/database/external.ts';
import { type Owners, prepareDatabase, readAllMigrations } from '../storage/database/open.ts';
import { selectSecretAsOwner } from '../storage/keys/restored-secret.ts';

export interface RestoreOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** The archives that there are: parsed lines, from the header on. */
  readonly archives: Readonly<Partial<Record<Part, () => AsyncGenerator<unknown>>>>;
  readonly onRows: (part: Part, rows: number) => void;
}

/** When each archive that was restored had been begun. */
export type Restored = Readonly<Partial<Record<Part, string>>>;

/**
 * `medseal restore`: into databases that are empty, with no server running. The keys come first, because what opens the
 * records is among them. Each part is there in full afterwards, or not at all.
 *
 * @throws MedSealError as `beginLoad`, `lastMigration` and `loadPieces`
 */
export async function composeRestore(options: RestoreOptions): Promise<Restored> {
  const { config, logger, archives } = options;
  if (!existsSync(config.masterKeyFile)) {
    throw new MedSealError(
      'invalid-configuration',
      `The master key is not there: put your copy of it at ${config.masterKeyFile}`,
    );
  }
  const master = loadMasterKey(config.masterKeyFile);
  const { owners, stop } = await ownersOf(config, logger);
  const restored: Partial<Record<Part, string>> = {};
  try {
    for (const part of PARTS.toReversed()) {
      const lines = archives[part]?.();
      if (lines !== undefined) restored[part] = await restorePart(options, { part, lines, owners, master });
    }
  } finally {
    await stop();
  }
  return restored;
}

async function ownersOf(
  { databaseUrl: recordsUrl, keyDatabaseUrl: keysUrl, dataDirectory }: Config,
  logger: Logger,
): Promise<{ readonly owners: Owners; stop(): Promise<void> }> {
  if (recordsUrl === undefined || keysUrl === undefined) return startEmbedded(dataDirectory, logger);
  return { owners: externalOwners({ recordsUrl, keysUrl }), stop: async () => undefined };
}

interface PartSource {
  readonly part: Part;
  readonly lines: AsyncGenerator<unknown>;
  readonly owners: Owners;
  readonly master: MasterKey;
}

async function restorePart({ logger, onRows }: RestoreOptions, source: PartSource): Promise<string> {
  const { part, lines, owners } = source;
  const header = readHeader((await lines.next()).value, part);
  const { [part]: known } = await readAllMigrations();
  await prepareDatabase(owners, part, lastMigration(header, known), logger);
  const seal = await sealOf(source, header);
  const load = await beginLoad(owners[part]);
  try {
    await loadPieces(header, lines, seal, load, (rows) => onRows(part, rows));
    await load.commit();
  } finally {
    await load.close();
  }
  return header.at;
}

async function sealOf({ part, owners, master }: PartSource, { archive }: ArchiveHeader): Promise<ArchiveSeal> {
  if (part === 'keys') return masterSeal(master, archive);
  const wrapped = await selectSecretAsOwner(owners.keys, BACKUP_SECRET);
  if (wrapped !== undefined) return archiveSeal(unwrapSecret(master, BACKUP_SECRET, wrapped), archive);
  throw new MedSealError(
    'invalid-configuration',
    'The key service is not that of the backup: what opens the records is not there. Restore its keys too',
  );
}
