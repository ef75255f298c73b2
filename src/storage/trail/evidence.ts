import type { Database } from '../database/port.ts';
import type { LogKey } from '../log/tiles.ts';

/** Where a version lies in its log, and the batch that it was sealed in. */
export interface LeafPlace extends LogKey {
  readonly number: bigint;
  readonly size: bigint;
  readonly transactionId: string | null;
  readonly block: bigint | null;
  readonly anchoredAt: string | null;
}

/** undefined while the leaf has no number yet. */
export async function selectLeaf(database: Database, versionId: bigint): Promise<LeafPlace | undefined> {
  return (await selectLeaves(database, [versionId])).get(versionId);
}

/** The same for several versions, by version row. */
export async function selectLeaves(
  database: Database,
  versionIds: readonly bigint[],
): Promise<ReadonlyMap<bigint, LeafPlace>> {
  const rows = await database.query<LeafPlace & { versionId: bigint }>(
    'writer',
    `select l.version_id as "versionId", l.institution, l.log, l.number, b.size, b.transaction_id as "transactionId",
       b.block, b.anchored_at as "anchoredAt"
     from leaf l
     cross join lateral (
       select size, transaction_id, block, anchored_at from batch
       where institution = l.institution and log = l.log and size > l.number order by size limit 1) as b
     where l.version_id = any ($1::bigint[])`,
    [versionIds],
  );
  return new Map(rows.map((row) => [row.versionId, row]));
}

/** Of one version of a resource; undefined where there is none. */
export async function selectLeafHash(
  database: Database,
  idToken: string,
  version: number,
): Promise<Buffer | undefined> {
  const rows = await database.query<{ hash: Buffer }>(
    'writer',
    'select leaf_hash as hash from resource_version where id_token = $1 and version = $2',
    [idToken, version],
  );
  return rows[0]?.hash;
}
