/** Tables that do not grow with records, requests or patients: reading all of one costs nothing worth an index. */
export const SMALL_TABLES: ReadonlySet<string> = new Set([
  'institution',
  'schema_migration',
  'search_parameter_set',
  'secret',
]);

/** A statement that may read a table, or an index, from end to end, and why that is meant. */
export interface WholeRead {
  /** Of a bitmap scan: its index. */
  readonly table: string;
  /** Part of its text. */
  readonly statement: RegExp;
  readonly why: string;
}

const BACKLOG = 'leaves leave this table within a second or two: it is as long as what waits to be numbered';
const SCRUB = 'a scrub, which an operator starts, looks at everything once';

export const WHOLE_READS: readonly WholeRead[] = [
  { table: 'leaf_pending', statement: /select institution, log, count\(\*\) as pending/, why: BACKLOG },
  { table: 'leaf_pending', statement: /^delete from leaf_pending/, why: BACKLOG },
  { table: 'leaf_pending', statement: /pending as materialized/, why: BACKLOG },
  { table: 'leaf_pending', statement: /from leaf_pending p where p\.access_id/, why: BACKLOG },
  { table: 'leaf_pending', statement: /count\(\*\) as leaves from leaf_pending/, why: BACKLOG },
  {
    table: 'batch_open',
    statement: /from batch where anchored_at is null/,
    why: 'a partial index: it holds the batches that wait for their anchor',
  },
  {
    table: 'reindex_run',
    statement: /from reindex_run\s+where finished_at is null order by pages, id limit 1/,
    why: 'reindex_run_open, a partial index, holds the runs that are not finished: few, and in this order',
  },
  {
    table: 'reindex_run_open',
    statement: /as remaining from reindex_run where finished_at is null/,
    why: 'the same, for the metrics',
  },
  {
    table: 'reindex_run_open',
    statement: /from reindex_run where finished_at is null and institution = \$1/,
    why: 'the same, for $reindex-status',
  },
  {
    table: 'consent_entry',
    statement: /from consent_entry e\s+left join lateral/,
    why: 'what the ledger was not told yet: consent_entry_open, a partial index, holds nothing else',
  },
  {
    table: 'access_entry',
    statement: /from permitted_access\s+where (?:true|\(\(at >= \$1::timestamptz\)\)) order by id desc/,
    why: 'an institution asks for its own trail at the union of all bases: the newest first, few of which are not its own',
  },
  {
    table: 'auth_client',
    statement: /from auth_client client left join institution/,
    why: 'an operator lists the clients; there are as many as systems that are connected, and people who hold a key',
  },
  { table: 'batch', statement: /select distinct institution, log from batch/, why: `${SCRUB}; a row for 2,000 leaves` },
  { table: 'kek_pkey', statement: /select count\(\*\) as keks from kek/, why: SCRUB },
  { table: 'resource_version_id_token_version_key', statement: /exists \(select from resource_version v/, why: SCRUB },
  { table: 'access_entry', statement: /select count\(\*\) as entries, min\(a\.id\)/, why: SCRUB },
  { table: 'leaf', statement: /select count\(\*\) as entries, min\(a\.id\)/, why: SCRUB },
  { table: 'leaf_pending', statement: /select count\(\*\) as orphans from leaf_pending/, why: SCRUB },
  { table: 'resource_version_by_type', statement: /select count\(\*\) as orphans from leaf_pending/, why: SCRUB },
  { table: 'access_entry', statement: /select count\(\*\) as orphans from leaf_pending/, why: SCRUB },
];
