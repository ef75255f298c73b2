import type { Database } from '../database/port.ts';

/** What a scrub asks of, and does to, the key service's database. Keys are never read here, only their names. */
export interface KekName {
  readonly subject: string;
  readonly generation: number;
}

export async function countKeks(database: Database): Promise<number> {
  const rows = await database.query<{ keks: bigint }>('keys', 'select count(*) as keks from kek');
  return Number(rows[0]?.keks ?? 0n);
}

/** Those among `names` that exist, retired ones too. */
export function selectExistingKeks(database: Database, names: readonly KekName[]): Promise<readonly KekName[]> {
  return database.query<KekName>(
    'keys',
    `select subject, generation from kek
     where (subject, generation) in (select * from unnest($1::uuid[], $2::integer[]))`,
    parametersOf(names),
  );
}

export interface KekRow extends KekName {
  /** When it was taken out of use; null while new records may be sealed under it. */
  readonly retiredAt: string | null;
}

/** Keys that were made before `made`, by name. */
export function selectKekPage(
  database: Database,
  after: KekName,
  made: string,
  limit: number,
): Promise<readonly KekRow[]> {
  return database.query<KekRow>(
    'keys',
    `select subject, generation, retired_at as "retiredAt" from kek
     where (subject, generation) > ($1, $2) and created_at < $3 order by subject, generation limit $4`,
    [after.subject, after.generation, made, limit],
  );
}

/** Takes keys that were made before `made` out of use: they still open, and nothing new is sealed under them. */
export function retireKeks(database: Database, names: readonly KekName[], made: string): Promise<readonly KekName[]> {
  return database.query<KekName>(
    'keys',
    `update kek set retired_at = now()
     where (subject, generation) in (select * from unnest($1::uuid[], $2::integer[]))
       and created_at < $3 and retired_at is null
     returning subject, generation`,
    [...parametersOf(names), made],
  );
}

/** Destroys keys that were taken out of use before `retired`. */
export function deleteRetiredKeks(
  database: Database,
  names: readonly KekName[],
  retired: string,
): Promise<readonly KekName[]> {
  return database.query<KekName>(
    'keys',
    `delete from kek
     where (subject, generation) in (select * from unnest($1::uuid[], $2::integer[])) and retired_at < $3
     returning subject, generation`,
    [...parametersOf(names), retired],
  );
}

function parametersOf(names: readonly KekName[]): [readonly string[], readonly number[]] {
  return [names.map((name) => name.subject), names.map((name) => name.generation)];
}
