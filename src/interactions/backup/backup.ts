import { randomUUID } from 'node:crypto';
import { MedSealError } from '../../errors.ts';
import { canonicalJson } from '../../fhir/json/canonical.ts';
import type { Logger } from '../../logger.ts';
import { type ArchiveSeal, archiveSeal, masterSeal } from '../../sealing/archive.ts';
import type { KeyService } from '../../sealing/key-service.ts';
import type { MasterKey } from '../../sealing/master-key.ts';
import { selectTables } from '../../storage/backup/catalog.ts';
import { dumpTable } from '../../storage/backup/dump.ts';
import type { Migration } from '../../storage/database/migrate.ts';
import type { Database, Role } from '../../storage/database/port.ts';
import { ARCHIVE_FORMAT, type ArchiveLine, endPlace, type Part, placeOf } from './archive.ts';
import { channel } from './channel.ts';

/** `medseal backup`: one part of one state of the node, while it serves. */
export interface Backup {
  run(part: Part): AsyncGenerator<ArchiveLine>;
}

export interface BackupOptions {
  readonly database: Database;
  readonly keys: Pick<KeyService, 'secret'>;
  readonly master: MasterKey;
  /** Those of this version, which the databases have. */
  readonly migrations: Readonly<Record<Part, readonly Migration[]>>;
  readonly now: () => number;
  readonly logger: Logger;
}

/** The name of the secret that the records' archives are sealed under. */
export const BACKUP_SECRET = 'backup';

const ROLES: Readonly<Record<Part, Role>> = { records: 'writer', keys: 'keys' };

/** A reader that writes to a slow disk is waited for. */
const SETTINGS = { idle_in_transaction_session_timeout: '1h' };

export function createBackup(options: BackupOptions): Backup {
  const { database, keys, master, migrations, now, logger } = options;

  async function sealFor(part: Part, archive: string): Promise<ArchiveSeal> {
    return part === 'keys' ? masterSeal(master, archive) : archiveSeal(await keys.secret(BACKUP_SECRET), archive);
  }

  async function write(part: Part, line: (line: ArchiveLine) => Promise<void>): Promise<void> {
    const archive = randomUUID();
    const seal = await sealFor(part, archive);
    const header = {
      format: ARCHIVE_FORMAT,
      part,
      archive,
      at: new Date(now()).toISOString(),
      migrations: migrations[part].map(({ file, sha256 }) => ({ file, sha256 })),
    };
    await line(header);
    let number = 0;
    // One state of the database, whatever is written meanwhile.
    const once = { isolation: 'repeatable read', readOnly: true, settings: SETTINGS } as const;
    await database.transaction(
      ROLES[part],
      async (sql) => {
        for (const table of await selectTables(sql)) {
          await dumpTable(sql, table, async ({ rows, text }) => {
            await line({ table, rows, sealed: seal.seal(placeOf(part, number, { table, rows }), text) });
            number += 1;
          });
        }
      },
      once,
    );
    await line({ end: seal.seal(endPlace(part, number), canonicalJson(header)) });
  }

  return {
    async *run(part) {
      try {
        yield* channel<ArchiveLine>((line) => write(part, line));
      } catch (error) {
        // The answer has begun, so this is told in it.
        logger.error({ err: error, part }, 'a backup could not be brought to an end');
        yield { failure: error instanceof MedSealError ? error.message : 'something went wrong; it has been logged' };
      }
    },
  };
}
