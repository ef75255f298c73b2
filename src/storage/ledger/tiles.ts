import type { Sql } from '../database/port.ts';
import type { StoredTile } from '../log/tiles.ts';

/** The stored tiles of the tree over the ledger's blocks among those that are asked for, in any order. */
export async function readBlockTiles(
  sql: Pick<Sql, 'query'>,
  wanted: readonly { readonly level: number; readonly index: number }[],
): Promise<readonly StoredTile[]> {
  const rows = await sql.query<{ level: number; number: bigint; hashes: Buffer }>(
    `select level, number, hashes from ledger.tile
     where (level, number) in (select * from unnest($1::smallint[], $2::bigint[]))`,
    [wanted.map((tile) => tile.level), wanted.map((tile) => tile.index)],
  );
  return rows.map(({ level, number, hashes }) => ({ level, index: Number(number), hashes }));
}

/** A block never changes, so whoever knows more of them has the longer tile. */
export async function writeBlockTiles(sql: Pick<Sql, 'query'>, tiles: readonly StoredTile[]): Promise<void> {
  await sql.query(
    `insert into ledger.tile (level, number, hashes)
     select * from unnest($1::smallint[], $2::bigint[], $3::bytea[])
     on conflict (level, number) do update set hashes = excluded.hashes
       where octet_length(excluded.hashes) > octet_length(tile.hashes)`,
    [tiles.map((tile) => tile.level), tiles.map((tile) => tile.index), tiles.map((tile) => tile.hashes)],
  );
}
