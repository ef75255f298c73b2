import type { Database } from '../database/port.ts';
import type { LogKey } from '../log/tiles.ts';

/**
 * What a scrub reads: pages by key, each one statement, so that what a page joins is of one snapshot while writers and
 * the sequencer go on. Rows that are committed behind a page's back belong to the next scrub.
 */
export interface ScrubVersion {
  readonly versionId: bigint;
  readonly institution: number;
  readonly type: string;
  readonly idToken: string;
  readonly version: number;
  readonly interaction: 'create' | 'update' | 'delete';
  readonly at: string;
  readonly patients: readonly string[];
  readonly digest: Buffer | null;
  readonly envelope: string;
  readonly leafHash: Buffer;
  /** Bytes of the sealed content; null where the row has none. */
  readonly sealedBytes: number | null;
  /** Leaf hash of the version before. */
  readonly previous: Buffer | null;
  /** Leaves of this version, hexadecimal. */
  readonly numbered: readonly string[];
  readonly pending: readonly string[];
}

export function selectVersionPage(database: Database, after: bigint, limit: number): Promise<readonly ScrubVersion[]> {
  return database.query<ScrubVersion>(
    'writer',
    `with page as materialized (
       select id, institution, type, id_token, version, interaction, at, patients, digest, envelope, leaf_hash,
         octet_length(sealed) as sealed_bytes
       from resource_version where id > $1 order by id limit $2
     ),
     pending as materialized (
       select version_id, array_agg(encode(hash, 'hex')) as hashes from leaf_pending
       where version_id in (select id from page) group by version_id
     )
     select page.id as "versionId", page.institution, page.type, page.id_token as "idToken", page.version,
       page.interaction, page.at, page.patients, page.digest, page.envelope, page.leaf_hash as "leafHash",
       page.sealed_bytes as "sealedBytes", previous.leaf_hash as previous,
       array(select encode(hash, 'hex') from leaf where leaf.version_id = page.id) as numbered,
       coalesce(pending.hashes, '{}') as pending
     from page
     left join resource_version previous on previous.id_token = page.id_token and previous.version = page.version - 1
     left join pending on pending.version_id = page.id
     order by page.id`,
    [after, limit],
  );
}

/** The sealed content of these version rows, by row. */
export async function selectSealed(
  database: Database,
  versionIds: readonly bigint[],
): Promise<ReadonlyMap<bigint, string>> {
  const rows = await database.query<{ id: bigint; sealed: string }>(
    'writer',
    'select id, sealed from resource_version where id = any ($1::bigint[]) and sealed is not null',
    [versionIds],
  );
  return new Map(rows.map((row) => [row.id, row.sealed]));
}

/** One resource with its versions counted, and what `resource_current` says of it. */
export interface ScrubResource {
  readonly idToken: string;
  readonly institution: number;
  readonly type: string;
  readonly versions: bigint;
  /** The highest version, and its row. */
  readonly newest: number;
  readonly versionId: bigint;
  readonly deleted: boolean;
  readonly current: {
    readonly versionId: string;
    readonly version: number;
    readonly deleted: boolean;
    readonly institution: number;
    readonly type: string;
  } | null;
}

export function selectResourcePage(
  database: Database,
  after: string,
  limit: number,
): Promise<readonly ScrubResource[]> {
  return database.query<ScrubResource>(
    'writer',
    `with page as materialized (
       select id_token, count(*) as versions, max(version) as newest
       from resource_version where id_token > $1 group by id_token order by id_token limit $2
     )
     select page.id_token as "idToken", v.institution, v.type, page.versions, page.newest, v.id as "versionId",
       v.interaction = 'delete' as deleted,
       case when c.id_token is not null then json_build_object('versionId', c.version_id::text, 'version', c.version,
         'deleted', c.deleted, 'institution', c.institution, 'type', c.type) end as current
     from page
     join resource_version v on v.id_token = page.id_token and v.version = page.newest
     left join resource_current c on c.id_token = page.id_token
       and c.self = ('x' || left(replace(page.id_token::text, '-', ''), 16))::bit(64)::bigint
     order by page.id_token`,
    [after, limit],
  );
}

export interface CurrentKey {
  readonly self: bigint;
  readonly idToken: string;
}

/** Rows of `resource_current`, by key, and whether any version of the resource exists. */
export function selectCurrentPage(
  database: Database,
  after: CurrentKey,
  limit: number,
): Promise<readonly (CurrentKey & { readonly institution: number; readonly exists: boolean })[]> {
  return database.query(
    'writer',
    `select c.self, c.id_token as "idToken", c.institution,
       exists (select from resource_version v where v.id_token = c.id_token) as exists
     from resource_current c where (c.self, c.id_token) > ($1, $2) order by c.self, c.id_token limit $3`,
    [after.self, after.idToken, limit],
  );
}

export interface ScrubAccessEntry {
  readonly id: bigint;
  readonly institution: number;
  readonly at: string;
  readonly sealed: string;
  readonly leafHash: Buffer;
  /** Leaves of this entry that are not numbered yet, hexadecimal. Numbered ones are compared log by log. */
  readonly pending: readonly string[];
  /** Whether the key of its hour is there. */
  readonly segment: boolean;
}

export function selectAccessPage(
  database: Database,
  after: bigint,
  limit: number,
): Promise<readonly ScrubAccessEntry[]> {
  // A scalar subquery for the segment: of `exists` the planner may make a hash of all of them.
  return database.query<ScrubAccessEntry>(
    'writer',
    `with page as materialized (select * from access_entry where id > $1 order by id limit $2)
     select page.id, page.institution, page.at, page.sealed, page.leaf_hash as "leafHash",
       array(select encode(p.hash, 'hex') from leaf_pending p where p.access_id = page.id) as pending,
       (select s.hour from access_segment s where s.institution = page.institution
         and s.hour = date_trunc('hour', page.at, 'UTC')) is not null as segment
     from page order by page.id`,
    [after, limit],
  );
}

/** Access entries without a leaf: how many, and the first. One long statement, as leaves are not indexed by entry. */
export async function selectUnloggedAccess(
  database: Database,
): Promise<{ readonly entries: bigint; readonly first: bigint | null }> {
  const [found] = await database.transaction(
    'writer',
    (sql) =>
      sql.query<{ entries: bigint; first: bigint | null }>(
        `select count(*) as entries, min(a.id) as first from access_entry a
         where not exists (select from leaf l where l.access_id = a.id)
           and not exists (select from leaf_pending p where p.access_id = a.id)`,
      ),
    { readOnly: true, pipelined: true, settings: { statement_timeout: '0' } },
  );
  return found ?? { entries: 0n, first: null };
}

/** Pending leaves of which the version or access entry is not there. */
export async function countOrphanPending(database: Database): Promise<bigint> {
  const rows = await database.query<{ orphans: bigint }>(
    'writer',
    `select count(*) as orphans from leaf_pending p
     where not exists (select from resource_version v where v.id = p.version_id)
       and not exists (select from access_entry a where a.id = p.access_id)`,
  );
  return rows[0]?.orphans ?? 0n;
}

/** Every log that has a batch. */
export function selectLogs(database: Database): Promise<readonly LogKey[]> {
  return database.query('writer', 'select distinct institution, log from batch order by institution, log');
}

export interface ScrubBatch extends LogKey {
  readonly first: bigint;
  readonly size: bigint;
  readonly root: Buffer;
  readonly manifest: string | null;
  readonly transactionId: string | null;
  readonly block: bigint | null;
  readonly anchoredAt: string | null;
}

const BATCH = `institution, log, first, size, root, manifest, transaction_id as "transactionId", block,
  anchored_at as "anchoredAt"`;

/** Batches of a log from the oldest on, as they were sealed: of a carried log those that one has taken the place of. */
export function selectBatchPage(
  database: Database,
  { institution, log }: LogKey,
  after: bigint,
  limit: number,
): Promise<readonly ScrubBatch[]> {
  return database.query<ScrubBatch>(
    'writer',
    `(select ${BATCH} from batch where institution = $1 and log = $2 and size > $3 and not (
        first = 0 and exists (
          select from carried_batch c where c.institution = $1 and c.log = $2 and c.size = batch.size))
      order by size limit $4)
     union all
     (select ${BATCH} from carried_batch where institution = $1 and log = $2 and size > $3 order by size limit $4)
     order by size limit $4`,
    [institution, log, after, limit],
  );
}

/** Anchored batches of a log from the newest on, below a size. */
export function selectAnchoredPage(
  database: Database,
  { institution, log }: LogKey,
  below: bigint,
  limit: number,
): Promise<readonly ScrubBatch[]> {
  return database.query<ScrubBatch>(
    'writer',
    `select ${BATCH} from batch
     where institution = $1 and log = $2 and size < $3 and anchored_at is not null order by size desc limit $4`,
    [institution, log, below, limit],
  );
}

/** A numbered leaf with what its row says of it. */
export interface ScrubLeaf {
  readonly number: bigint;
  readonly hash: Buffer;
  /** The row's own leaf hash; null when there is no such row. */
  readonly rowHash: Buffer | null;
  readonly digest: Buffer | null;
  readonly envelope: string | null;
}

export function selectLeafPage(
  database: Database,
  { institution, log }: LogKey,
  from: bigint,
  limit: number,
): Promise<readonly ScrubLeaf[]> {
  return database.query<ScrubLeaf>(
    'writer',
    `select l.number, l.hash, coalesce(v.leaf_hash, a.leaf_hash) as "rowHash", v.digest, v.envelope
     from leaf l
     left join resource_version v on v.id = l.version_id
     left join access_entry a on a.id = l.access_id
     where l.institution = $1 and l.log = $2 and l.number >= $3 order by l.number limit $4`,
    [institution, log, from, limit],
  );
}

/** Envelopes of the access trail's hourly keys. */
export function selectSegmentPage(
  database: Database,
  after: { readonly institution: number; readonly hour: string },
  limit: number,
): Promise<readonly { readonly institution: number; readonly hour: string; readonly envelope: string }[]> {
  return database.query(
    'writer',
    `select institution, hour, envelope from access_segment
     where (institution, hour) > ($1, $2) order by institution, hour limit $3`,
    [after.institution, after.hour, limit],
  );
}
