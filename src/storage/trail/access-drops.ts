import type { Database, Sql } from '../database/port.ts';

/** Statements of what is dropped of the access trail (log 2) after its retention. */

/** How far an institution's access log was noted as dropped: 0 where it never was. */
export async function selectDropped(database: Database, institution: number): Promise<bigint> {
  const rows = await database.query<{ size: bigint }>('writer', 'select size from access_drop where institution = $1', [
    institution,
  ]);
  return rows[0]?.size ?? 0n;
}

export interface DroppableBatch {
  readonly size: bigint;
  /** Every entry in it is older. */
  readonly sealedAt: string;
  readonly anchored: boolean;
}

/** Batches of the access log behind `size`, in their order. */
export function selectBatchesBehind(
  database: Database,
  institution: number,
  size: bigint,
  limit: number,
): Promise<readonly DroppableBatch[]> {
  return database.query<DroppableBatch>(
    'writer',
    `select size, sealed_at as "sealedAt", anchored_at is not null as anchored from batch
     where institution = $1 and log = 2 and size > $2 order by size limit $3`,
    [institution, size, limit],
  );
}

export interface DropNote {
  readonly institution: number;
  readonly size: bigint;
  readonly before: string;
  /** Of the entry that says so, inserted in the same transaction. */
  readonly note: string;
}

/** @returns false where as much was noted already, or no anchored batch ends there */
export async function noteDrop(sql: Sql, { institution, size, before, note }: DropNote): Promise<boolean> {
  const rows = await sql.query(
    `insert into access_drop (institution, size, before, note)
     select institution, size, $3, $4 from batch
     where institution = $1 and log = 2 and size = $2 and anchored_at is not null
     on conflict (institution) do update set size = excluded.size, before = excluded.before, note = excluded.note
       where access_drop.size < excluded.size
     returning size`,
    [institution, size, before, note],
  );
  return rows.length > 0;
}

/**
 * Destroys entries that are noted as dropped, those of at most `limit` leaves in one transaction.
 *
 * @returns how many there were; undefined when none is left
 */
export function destroyEntries(database: Database, institution: number, limit: number): Promise<number | undefined> {
  return database.transaction('writer', async (sql) => {
    const [drop] = await sql.query<{ size: bigint; destroyed: bigint }>(
      'select size, destroyed from access_drop where institution = $1 for update',
      [institution],
    );
    if (drop === undefined || drop.destroyed === drop.size) return undefined;
    const until = drop.destroyed + BigInt(limit);
    const upTo = until < drop.size ? until : drop.size;
    const [gone] = await sql.query<{ entries: bigint }>(
      `with gone as (
         delete from access_entry where id = any (array(
           select access_id from leaf
           where institution = $1 and log = 2 and number >= $2 and number < $3 and access_id is not null))
         returning id)
       select count(*) as entries from gone`,
      [institution, drop.destroyed, upTo],
    );
    await sql.query('update access_drop set destroyed = $2 where institution = $1', [institution, upTo]);
    return Number(gone?.entries ?? 0n);
  });
}

/**
 * Destroys the keys of hours of which no entry is left.
 *
 * @param before RFC 3339: hours that ended by then, when what was dropped was meant to go back as far
 */
export async function destroySegments(database: Database, institution: number, before: string): Promise<number> {
  // A scalar subquery: of an anti-join the planner may make one that reads every entry.
  const rows = await database.query(
    'writer',
    `delete from access_segment s
     where s.institution = $1
       and s.hour <= least($2::timestamptz, (select before from access_drop where institution = $1)) - interval '1 hour'
       and (select a.id from access_entry a
            where a.institution = $1 and a.at >= s.hour and a.at < s.hour + interval '1 hour' limit 1) is null
     returning s.hour`,
    [institution, before],
  );
  return rows.length;
}

/** What an institution's noted drop stands on. */
export interface StoredDrop {
  readonly size: bigint;
  readonly idToken: string;
  /** null: there is no such entry. */
  readonly entry: { readonly at: string; readonly sealed: string; readonly leafHash: Buffer } | null;
  /** Whether the entry's leaf is in the log behind what was dropped, or waits for its number. */
  readonly logged: boolean;
}

export async function selectDrop(database: Database, institution: number): Promise<StoredDrop | undefined> {
  interface Row extends Omit<StoredDrop, 'entry'> {
    readonly at: string | null;
    readonly sealed: string | null;
    readonly leafHash: Buffer | null;
  }
  const [row] = await database.query<Row>(
    'writer',
    `select d.size, d.note as "idToken", a.at, a.sealed, a.leaf_hash as "leafHash",
       exists (select from leaf l where l.institution = $1 and l.log = 2 and l.number >= d.size
         and l.access_id = a.id and l.hash = a.leaf_hash)
       or exists (select from leaf_pending p where p.access_id = a.id and p.hash = a.leaf_hash) as logged
     from access_drop d left join access_entry a on a.id_token = d.note and a.institution = $1
     where d.institution = $1`,
    [institution],
  );
  if (row === undefined) return undefined;
  const { size, idToken, at, sealed, leafHash, logged } = row;
  const entry = at === null || sealed === null || leafHash === null ? null : { at, sealed, leafHash };
  return { size, idToken, entry, logged };
}
