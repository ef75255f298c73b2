import type { Database } from '../database/port.ts';

/** How many leaves of each kind of log, of all institutions, are not anchored yet. */
export async function selectBacklog(database: Database): Promise<ReadonlyMap<number, number>> {
  const rows = await database.query<{ log: number; leaves: string }>(
    'writer',
    `select log, sum(leaves) as leaves from (
       select log, count(*) as leaves from leaf_pending group by log
       union all
       select log, sum(size - first) from batch where anchored_at is null group by log
     ) as both_kinds group by log`,
  );
  return new Map(rows.map(({ log, leaves }) => [log, Number(leaves)]));
}
