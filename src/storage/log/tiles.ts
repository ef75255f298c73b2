import { invariant } from '../../errors.ts';
import type { Sql } from '../database/port.ts';

/** One log of one institution, as the tables number them: log 1 is records, 2 is access. */
export interface LogKey {
  readonly institution: number;
  readonly log: number;
}

export interface StoredTile {
  readonly level: number;
  readonly index: number;
  readonly hashes: Uint8Array;
}

/** The stored tiles among those that are asked for, in any order. */
export async function readTiles(
  sql: Sql,
  { institution, log }: LogKey,
  wanted: readonly { readonly level: number; readonly index: number }[],
): Promise<readonly StoredTile[]> {
  const rows = await sql.query<{ level: number; number: bigint; hashes: Buffer }>(
    `select level, number, hashes from log_tile
     where institution = $1 and log = $2
       and (level, number) in (select * from unnest($3::smallint[], $4::bigint[]))`,
    [institution, log, wanted.map((tile) => tile.level), wanted.map((tile) => tile.index)],
  );
  return rows.map(({ level, number, hashes }) => ({ level, index: Number(number), hashes }));
}

/**
 * Writes tiles that are new or have grown.
 *
 * @throws MedSealError `internal` when a stored tile is not a beginning of its new content: whoever appended did not
 *   start from what is stored, and must not commit
 */
export async function writeTiles(sql: Sql, { institution, log }: LogKey, tiles: readonly StoredTile[]): Promise<void> {
  if (tiles.length === 0) return;
  const written = await sql.query(
    `insert into log_tile (institution, log, level, number, hashes)
     select $1, $2, * from unnest($3::smallint[], $4::bigint[], $5::bytea[])
     on conflict (institution, log, level, number) do update set hashes = excluded.hashes
       where octet_length(excluded.hashes) > octet_length(log_tile.hashes)
         and substr(excluded.hashes, 1, octet_length(log_tile.hashes)) = log_tile.hashes
     returning level`,
    [
      institution,
      log,
      tiles.map((tile) => tile.level),
      tiles.map((tile) => tile.index),
      tiles.map((tile) => tile.hashes),
    ],
  );
  invariant(written.length === tiles.length, 'a tile of the log does not extend the stored one');
}
