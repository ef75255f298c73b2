import type { Token } from '../sealing/blind-index/tokenizer.ts';
import { selfToken } from '../sealing/identity.ts';
import type { Database, Sql } from '../storage/database/port.ts';
import type { PermittedRow } from './permitted.ts';

/** A run over an institution's records that indexes them anew, as its row has it. */
export interface ReindexRun {
  readonly id: bigint;
  readonly institution: number;
  readonly types: readonly string[];
  readonly requestedAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly total: bigint;
  readonly done: bigint;
  readonly unopened: bigint;
}

/** Where a run has come to: in order of type, then of change. */
export interface RunPosition {
  readonly type: string;
  readonly time: string;
  readonly version: bigint;
}

/** What a record is to have in the index from now on, if it is still at that version. */
export interface IndexedRow {
  readonly idToken: string;
  readonly version: number;
  readonly tokens: readonly Token[];
  readonly traits: readonly Token[];
}

const RUN = `id, institution, types, requested_at as "requestedAt", started_at as "startedAt",
  finished_at as "finishedAt", total, done, unopened`;

/** Rows longer than this are loaded one by one when they are opened. */
const INLINE_BYTES = 65_536;
const RECORD = `v.id as "versionId", v.institution, v.type, v.id_token as "idToken", v.version, v.interaction, v.at,
  v.patients, case when octet_length(v.sealed) <= ${INLINE_BYTES} then v.sealed end as sealed, v.digest, v.envelope,
  v.leaf_hash as "leafHash", '{}'::bigint[] as consents, '{}'::text[] as merges`;

async function requestRun(database: Database, institution: number): Promise<ReindexRun | undefined> {
  const [run] = await database.query<ReindexRun>(
    'writer',
    `insert into reindex_run (institution, types)
     select institution, array_agg(distinct type) from custom_parameter, unnest(types) as type
     where institution = $1 group by institution
     on conflict (institution) where started_at is null
     do update set types = array(select distinct unnest(reindex_run.types || excluded.types))
     returning ${RUN}`,
    [institution],
  );
  return run;
}

function selectRuns(database: Database, institution: number): Promise<readonly ReindexRun[]> {
  return database.query<ReindexRun>(
    'writer',
    `select ${RUN} from reindex_run where finished_at is null and institution = $1
     union
     (select ${RUN} from reindex_run where institution = $1 order by id desc limit 1)
     order by id`,
    [institution],
  );
}

/** The open run that is next, unless another server has it in hand; nobody else takes it before the transaction ends. */
export async function takeRun(sql: Sql): Promise<(ReindexRun & { readonly position: RunPosition }) | undefined> {
  const [row] = await sql.query<ReindexRun & RunPosition>(
    `select ${RUN}, at_type as type, at_time::text as time, at_version as version from reindex_run
     where finished_at is null order by pages, id limit 1 for update skip locked`,
  );
  if (row === undefined) return undefined;
  const { type, time, version, ...run } = row;
  return { ...run, position: { type, time, version } };
}

export async function startRun(sql: Sql, { id, institution, types }: ReindexRun): Promise<void> {
  await sql.query(
    `update reindex_run set started_at = now(), fence = pg_current_xact_id(),
       total = (select count(*) from resource_current where type = any ($3) and institution = $2 and not deleted)
     where id = $1`,
    [id, institution, types],
  );
}

/**
 * Whether everything that was under way when the run was started has ended: what it wrote can be seen now. A number that
 * this cluster has not reached is another's, from before a restore.
 */
export async function isSettled(sql: Sql, { id }: ReindexRun): Promise<boolean> {
  const [row] = await sql.query<{ settled: boolean }>(
    `select pg_snapshot_xmin(now.snapshot) > fence or fence > pg_snapshot_xmax(now.snapshot) as settled
     from reindex_run, (select pg_current_snapshot() as snapshot) now where id = $1`,
    [id],
  );
  return row?.settled === true;
}

/** Records of a type beyond the position, in order of change. */
export function selectPage(
  sql: Sql,
  institution: number,
  { type, time, version }: RunPosition,
  limit: number,
): Promise<readonly PermittedRow[]> {
  return sql.query<PermittedRow>(
    `select ${RECORD} from (
       select version_id, at from resource_current c
       where c.type = $1 and (c.at, c.version_id) > ($2::timestamptz, $3) and c.institution = $4 and not c.deleted
       order by c.at, c.version_id limit $5
     ) page join resource_version v on v.id = page.version_id
     order by page.at, page.version_id`,
    [type, time, version, institution, limit],
  );
}

/** Records that were written by a set of before. */
export function selectBehind(sql: Sql, institution: number, limit: number): Promise<readonly PermittedRow[]> {
  return sql.query<PermittedRow>(
    `select ${RECORD} from (select version_id from resource_current where behind and institution = $1 limit $2) page
       join resource_version v on v.id = page.version_id`,
    [institution, limit],
  );
}

export async function advanceRun(
  sql: Sql,
  { id }: ReindexRun,
  { type, time, version }: RunPosition,
  done: number,
  unopened: number,
): Promise<void> {
  await sql.query(
    `update reindex_run set at_type = $2, at_time = $3::timestamptz, at_version = $4, done = done + $5,
       unopened = unopened + $6, pages = pages + 1
     where id = $1`,
    [id, type, time, version, done, unopened],
  );
}

export async function finishRun(sql: Sql, { id }: ReindexRun): Promise<void> {
  await sql.query('update reindex_run set finished_at = now() where id = $1', [id]);
}

/**
 * Puts tokens in the place of those that are there. Whoever is writing a record at this moment is not waited for, since
 * they may wait for another one of these.
 *
 * @param revision of the set that the tokens were made by
 * @returns those that are still to be done: at the same version, and in somebody's hand
 */
export async function replaceTokens(
  sql: Sql,
  institution: number,
  revision: number,
  rows: readonly IndexedRow[],
): Promise<readonly IndexedRow[]> {
  const self = rows.map(({ idToken }) => selfToken(idToken));
  const idTokens = rows.map(({ idToken }) => idToken);
  const versions = rows.map(({ version }) => version);
  const replaced = await sql.query<{ idToken: string }>(
    `with input as (
       select * from unnest($1::bigint[], $2::uuid[], $3::integer[], $4::text[], $5::text[])
         as i (self, id_token, version, tokens, traits)
     ),
     held as (
       select c.self, c.id_token from resource_current c join input i on c.self = i.self and c.id_token = i.id_token
         and c.version = i.version
       for no key update of c skip locked
     ),
     changed as (
       update resource_current c set tokens = i.tokens::bigint[], traits = i.traits::bigint[],
         behind = coalesce((select revision from search_parameter_set where institution = $6), 0) > $7
       from input i join held h on h.self = i.self and h.id_token = i.id_token
       where c.self = h.self and c.id_token = h.id_token
         and (c.behind or c.tokens <> i.tokens::bigint[] or c.traits <> i.traits::bigint[])
     )
     select id_token as "idToken" from held`,
    [
      self,
      idTokens,
      versions,
      rows.map(({ tokens }) => `{${tokens.join(',')}}`),
      rows.map(({ traits }) => `{${traits.join(',')}}`),
      institution,
      revision,
    ],
  );
  if (replaced.length === rows.length) return [];
  const done = new Set(replaced.map(({ idToken }) => idToken));
  const present = await sql.query<{ idToken: string }>(
    `select c.id_token as "idToken" from resource_current c
       join unnest($1::bigint[], $2::uuid[], $3::integer[]) as i (self, id_token, version)
         on c.self = i.self and c.id_token = i.id_token and c.version = i.version`,
    [self, idTokens, versions],
  );
  const left = new Set(present.map(({ idToken }) => idToken).filter((idToken) => !done.has(idToken)));
  return rows.filter(({ idToken }) => left.has(idToken));
}

/** Of records that cannot be opened: they stay as they are. */
export async function settleBehind(
  sql: Sql,
  rows: readonly Pick<PermittedRow, 'idToken' | 'version'>[],
): Promise<void> {
  const idTokens = rows.map(({ idToken }) => idToken);
  await sql.query(
    `update resource_current c set behind = false
     from unnest($1::bigint[], $2::uuid[], $3::integer[]) as i (self, id_token, version)
     where c.self = i.self and c.id_token = i.id_token and c.version = i.version and c.behind`,
    [idTokens.map(selfToken), idTokens, rows.map(({ version }) => version)],
  );
}

/** Records that the open runs of all institutions still have before them. */
export async function selectRemaining(database: Database): Promise<number> {
  const [row] = await database.query<{ remaining: bigint }>(
    'writer',
    'select coalesce(sum(greatest(total - done, 0)), 0)::bigint as remaining from reindex_run where finished_at is null',
  );
  return Number(row?.remaining ?? 0n);
}

/** What operations ask of runs. */
export interface ReindexRuns {
  /** @returns the run that it is, or joined; undefined when the institution has no custom parameter to index for */
  request(institution: number): Promise<ReindexRun | undefined>;
  /** Those that are not finished, and the newest one. */
  of(institution: number): Promise<readonly ReindexRun[]>;
}

export function createReindexRuns(database: Database): ReindexRuns {
  return {
    request: (institution) => requestRun(database, institution),
    of: (institution) => selectRuns(database, institution),
  };
}
