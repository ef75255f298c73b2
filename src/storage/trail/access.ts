import type { Database, Sql } from '../database/port.ts';

/** Statements of the access trail. */
export interface AccessRow {
  readonly institution: number;
  readonly idToken: string;
  readonly at: string;
  readonly patients: readonly string[];
  readonly sealed: string;
  readonly leafHash: Buffer;
}

/** Any number of entries and their leaves in one commit. */
export async function insertAccessEntries(sql: Sql, rows: readonly AccessRow[]): Promise<void> {
  await sql.query(
    `with input as (
       select * from unnest($1::smallint[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[], $6::bytea[])
         with ordinality as i (institution, id_token, at, patients, sealed, leaf_hash, place)
     ),
     added as (
       insert into access_entry (institution, id_token, at, patients, sealed, leaf_hash)
       select institution, id_token, at, patients::uuid[], sealed, leaf_hash from input order by place
       returning id, institution, leaf_hash
     )
     insert into leaf_pending (institution, log, hash, access_id)
     select institution, 2, leaf_hash, id from added order by id`,
    [
      rows.map((row) => row.institution),
      rows.map((row) => row.idToken),
      rows.map((row) => row.at),
      rows.map((row) => `{${row.patients.join(',')}}`),
      rows.map((row) => row.sealed),
      rows.map((row) => row.leafHash),
    ],
  );
}

/** The sealed key of an hour; of two who make one at once, the first stands. */
export async function settleSegment(
  database: Database,
  institution: number,
  hour: string,
  envelope: string,
): Promise<string> {
  await database.query(
    'writer',
    'insert into access_segment (institution, hour, envelope) values ($1, $2, $3) on conflict do nothing',
    [institution, hour, envelope],
  );
  return (await selectSegment(database, institution, hour)) ?? envelope;
}

export async function selectSegment(
  database: Database,
  institution: number,
  hour: string,
): Promise<string | undefined> {
  const rows = await database.query<{ envelope: string }>(
    'writer',
    'select envelope from access_segment where institution = $1 and hour = $2',
    [institution, hour],
  );
  return rows[0]?.envelope;
}
