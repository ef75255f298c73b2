import { fileURLToPath } from 'node:url';
import { type Faults, noFaults } from '../../faults.ts';
import type { Logger } from '../../logger.ts';
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

/** Provisions and migrates both databases as their owners, and connects the three logins. */
export async function openDatabases(
  owners: { readonly records: Login; readonly keys: Login },
  freeBytes: () => Promise<number | undefined>,
  options: DatabaseOptions,
): Promise<Database> {
  const migrations = options.migrations ?? MIGRATIONS;
  await Promise.all([
    provision(owners.records, ['writer', 'reader'], migrations.records, options.logger),
    provision(owners.keys, ['keys'], migrations.keys, options.logger),
  ]);
  const logins = {
    writer: loginOf(owners.records, 'writer'),
    reader: loginOf(owners.records, 'reader'),
    keys: loginOf(owners.keys, 'keys'),
  };
  return connectPostgres({ ...options, logins, freeBytes, faults: options.faults ?? noFaults });
}

/** The migrations of this version. */
export const MIGRATIONS = {
  records: fileURLToPath(new URL('../migrations/records/', import.meta.url)),
  keys: fileURLToPath(new URL('../migrations/keys/', import.meta.url)),
};
