import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import { Client } from 'pg';
import { DatabaseError } from '../../src/storage/database/database-error.ts';
import type { Database } from '../../src/storage/database/port.ts';
import type { Place } from './database-process.ts';

/** What the database contract needs of an adapter. */
export interface DatabaseHarness {
  /** Where `openPlace` finds this adapter's pair of databases, from any process. */
  readonly place: Place;
  /** Of the records database, while the server runs. */
  superuserUrl(): Promise<string>;
  /** Ends what the harness itself started; the databases are closed by then. */
  close(): Promise<void>;
}

/** What each test of the contract gets: one open database, shared, and a word of its own to begin its names with. */
export interface DatabaseUnderTest {
  readonly database: Database;
  readonly harness: DatabaseHarness;
  readonly own: string;
}

export type ContractTest = (name: string, run: (under: DatabaseUnderTest, test: TestContext) => Promise<void>) => void;

export function ownName(): string {
  return `t${randomUUID().replaceAll('-', '')}`;
}

export async function asSuperuser<T>(harness: DatabaseHarness, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: await harness.superuserUrl() });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/**
 * Cuts the connections that are busy and whose application name and statement, with a space between, hold `words`, as a
 * failing server or network would. Tells how many there were.
 */
export async function cutConnections(harness: DatabaseHarness, words: string): Promise<number> {
  return asSuperuser(harness, async (client) => {
    const { rowCount } = await client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where state <> 'idle' and pid <> pg_backend_pid() and position($1 in application_name || ' ' || query) > 0`,
      [words],
    );
    return rowCount ?? 0;
  });
}

/** The names of notes that begin so, sorted. */
export async function notes(database: Database, own: string): Promise<readonly string[]> {
  const rows = await database.query<{ name: string }>(
    'writer',
    'select name from note where starts_with(name, $1) order by name',
    [own],
  );
  return rows.map(({ name }) => name);
}

/** For `assert.rejects`: a DatabaseError with these properties. */
export function databaseError(expected: Partial<DatabaseError>): (error: unknown) => boolean {
  return (error) =>
    error instanceof DatabaseError &&
    Object.entries(expected).every(([name, value]) => error[name as keyof DatabaseError] === value);
}
