import { Client } from 'pg';
import { MedSealError } from '../../errors.ts';
import { type DatabaseOptions, type Owners, openDatabases } from './open.ts';
import type { Database } from './port.ts';
import type { Login } from './postgres.ts';

export interface ExternalOptions extends DatabaseOptions {
  /** `MEDSEAL_DATABASE_URL`: the owner of the records database, who may create roles. */
  readonly recordsUrl: string;
  /** `MEDSEAL_KEY_DATABASE_URL`: the owner of the key service's database, on the same or another cluster. */
  readonly keysUrl: string;
}

/**
 * Uses a PostgreSQL (15 or newer) that is there. Connects directly or through a pooler in session mode: statements are
 * prepared per connection.
 *
 * @throws MedSealError `invalid-configuration` for URLs that cannot work; otherwise as `provision`
 */
export async function openExternalDatabase(options: ExternalOptions): Promise<Database> {
  return openDatabases(externalOwners(options), async () => undefined, options);
}

/** @throws MedSealError `invalid-configuration` for URLs that cannot work */
export function externalOwners(options: Pick<ExternalOptions, 'recordsUrl' | 'keysUrl'>): Owners {
  const owners = { records: readUrl(options.recordsUrl), keys: readUrl(options.keysUrl) };
  const same = (['host', 'port', 'database'] as const).every((part) => owners.records[part] === owners.keys[part]);
  if (same) {
    // Otherwise one backup would hold the records and the keys to them.
    throw new MedSealError(
      'invalid-configuration',
      'MEDSEAL_DATABASE_URL and MEDSEAL_KEY_DATABASE_URL name the same database.',
    );
  }
  return owners;
}

/** Reads every form of URL that `pg` knows, Unix sockets and TLS parameters included. */
function readUrl(connectionString: string): Login {
  const { host, port, user, database, password, ssl } = parse(connectionString);
  if (!user || !database) {
    throw new MedSealError('invalid-configuration', 'A database URL must name a user and a database.');
  }
  return { host, port, user, database, password: password || undefined, ssl };
}

function parse(connectionString: string): Client {
  try {
    return new Client({ connectionString });
  } catch (cause) {
    throw new MedSealError('invalid-configuration', 'A database URL cannot be read.', { cause });
  }
}
