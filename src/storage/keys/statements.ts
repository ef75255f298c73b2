import type { Database } from '../database/port.ts';

/** The key service's only statements. Everything that they carry is wrapped under the master key. */
export interface NewKek {
  readonly subject: string;
  readonly generation: number;
  readonly wrapped: Buffer;
}

export interface StoredKek extends NewKek {
  /** It opens what was sealed under it, and nothing new is. */
  readonly retired: boolean;
}

const KEK = 'subject, generation, wrapped, retired_at is not null as retired';

/** The newest generation of each subject that has one, retired or not. */
export function selectNewestKeks(database: Database, subjects: readonly string[]): Promise<readonly StoredKek[]> {
  return database.query<StoredKek>(
    'keys',
    `select distinct on (subject) ${KEK} from kek
     where subject = any ($1::uuid[]) order by subject, generation desc`,
    [subjects],
  );
}

export type KekName = Pick<NewKek, 'subject' | 'generation'>;

/** Those of them that there are, in no particular order. */
export function selectKeks(database: Database, names: readonly KekName[]): Promise<readonly StoredKek[]> {
  return database.query<StoredKek>(
    'keys',
    `select ${KEK} from kek where (subject, generation) in (select * from unnest($1::uuid[], $2::integer[]))`,
    [names.map(({ subject }) => subject), names.map(({ generation }) => generation)],
  );
}

/** Durable when it resolves. @returns the subjects whose key it now is; where another writer was first, its key stands */
export async function insertKeks(database: Database, keks: readonly NewKek[]): Promise<ReadonlySet<string>> {
  const rows = await database.query<{ subject: string }>(
    'keys',
    `insert into kek (subject, generation, wrapped)
     select * from unnest($1::uuid[], $2::integer[], $3::bytea[]) on conflict do nothing returning subject`,
    [keks.map((kek) => kek.subject), keks.map((kek) => kek.generation), keks.map((kek) => kek.wrapped)],
  );
  return new Set(rows.map((row) => row.subject));
}

export async function selectSecret(database: Database, name: string): Promise<Buffer | undefined> {
  const rows = await database.query<{ wrapped: Buffer }>('keys', 'select wrapped from secret where name = $1', [name]);
  return rows[0]?.wrapped;
}

/** Durable when it resolves. Where another writer was first, its secret stands. */
export async function insertSecret(database: Database, name: string, wrapped: Buffer): Promise<void> {
  await database.query('keys', 'insert into secret (name, wrapped) values ($1, $2) on conflict (name) do nothing', [
    name,
    wrapped,
  ]);
}
