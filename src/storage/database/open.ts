import { fileURLToPath } from 'node:url';
import { type Faults, noFaults } from '../../faults.ts';
import type { Logger } from '../../logger.ts';
import { type Migration, readMigrations } from './migrate.ts';
import type { Database } from './port.ts';
import { connectPostgres, type Login, type Tuning } from './postgres.ts';
import { loginOf, provision } from './provision.ts';

/** What both adapters take. */
export interface DatabaseOptions extends Tuning {
  readonly logger: Logger;
  readonly faults?: Faults;
  /** Directories of migrations; the ones of this version when absent. */
  readonly migrations?: { readonly records: string; readonly keys: string };
}

/** How the owners of the two databases connect. */
export interface Owners {
  readonly records: Login;
  readonly keys: Login;
}

/** Provisions and migrates both databases as their owners, and connects the three logins. */
export async function openDatabases(
  owners: Owners,
  freeBytes: () => Promise<number | undefined>,
  options: DatabaseOptions,
): Promise<Database> {
  const migrations = options.migrations ?? MIGRATIONS;
  const [records, keys] = await Promise.all([readMigrations(migrations.records), readMigrations(migrations.keys)]);
  await Promise.all([
    provision(owners.records, ROLES.records, records, options.logger),
    provision(owners.keys, ROLES.keys, keys, options.logger),
  ]);
  const logins = {
    writer: loginOf(owners.records, 'writer'),
    reader: loginOf(owners.records, 'reader'),
    keys: loginOf(owners.keys, 'keys'),
  };
  return connectPostgres({ ...options, logins, freeBytes, faults: options.faults ?? noFaults });
}

const ROLES = { records: ['writer', 'reader'], keys: ['keys'] } as const;

/** One of the two databases, empty but for the first of its migrations: what a backup of an older version goes into. */
export async function prepareDatabase(
  owners: Owners,
  part: keyof Owners,
  lastMigration: number,
  logger: Logger,
): Promise<void> {
  const migrations = (await readAllMigrations())[part].filter(({ number }) => number <= lastMigration);
  await provision(owners[part], ROLES[part], migrations, logger);
}

/** Those of this version, in order. */
export async function readAllMigrations(): Promise<Readonly<Record<keyof Owners, readonly Migration[]>>> {
  const [records, keys] = await Promise.all([readMigrations(MIGRATIONS.records), readMigrations(MIGRATIONS.keys)]);
  return { records, keys };
}

/** The migrations of this version. */
export const MIGRATIONS = {
  records: fileURLToPath(new URL('../migrations/records/', import.meta.url)),
  keys: fileURLToPath(new URL('../migrations/keys/', import.meta.url)),
};
