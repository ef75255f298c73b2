/**
 * A process for the drills of database-contract.ts to kill: opens a database as its argument (JSON) says, and inserts
 * notes PREFIX-0, PREFIX-1, … through several transactions at once. Prints the number of each once it is committed.
 */
import { writeSync } from 'node:fs';
import { type Faults, noFaults } from '../../src/faults.ts';
import { silentLogger } from '../../src/logger.ts';
import { openEmbeddedDatabase } from '../../src/storage/database/embedded/embedded.ts';
import { openExternalDatabase } from '../../src/storage/database/external.ts';
import type { Database } from '../../src/storage/database/port.ts';
import { PORT_MIGRATIONS } from './port-migrations.ts';

export type Place =
  | { readonly kind: 'embedded'; readonly dataDirectory: string }
  | { readonly kind: 'external'; readonly recordsUrl: string; readonly keysUrl: string };

export interface WriterArguments {
  readonly place: Place;
  readonly prefix: string;
  /** Ends by `kill -9` of itself between the server's n-th COMMIT and its own hearing of it. */
  readonly dieAtCommit?: number;
}

export function openPlace(place: Place, faults: Faults = noFaults): Promise<Database> {
  const options = { logger: silentLogger, migrations: PORT_MIGRATIONS, faults };
  return place.kind === 'embedded'
    ? openEmbeddedDatabase({ ...options, dataDirectory: place.dataDirectory })
    : openExternalDatabase({ ...options, recordsUrl: place.recordsUrl, keysUrl: place.keysUrl });
}

async function write({ place, prefix, dieAtCommit }: WriterArguments): Promise<void> {
  let commits = 0;
  const database = await openPlace(place, {
    async at(point) {
      if (point === 'write-commit-unknown' && ++commits === dieAtCommit) process.kill(process.pid, 'SIGKILL');
    },
    tear: () => undefined,
  });
  let next = 0;
  const oneAfterAnother = async () => {
    for (;;) {
      const number = next++;
      await database.transaction('writer', async (sql) => {
        await sql.query('insert into note (name) values ($1)', [`${prefix}-${number}`]);
      });
      writeSync(1, `${number}\n`);
    }
  };
  await Promise.all(Array.from({ length: 4 }, oneAfterAnother));
}

if (import.meta.main) await write(JSON.parse(process.argv[2] ?? '') as WriterArguments);
