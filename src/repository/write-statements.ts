import type { Token } from '../sealing/blind-index/tokenizer.ts';
import { selfToken } from '../sealing/identity.ts';
import type { Database, Sql } from '../storage/database/port.ts';
import { type Merging, settleMerges } from './merges.ts';
import type { ConsentChange, ConsentLedgerEntry, Guard, IdempotencyRecord, VersionDraft } from './write.ts';

/** The statements of the write transaction: one for any number of versions, by `unnest`. */
export interface VersionRow {
  readonly draft: VersionDraft;
  readonly sealed: string | undefined;
  readonly digest: Buffer | undefined;
  readonly envelope: string;
  readonly leafHash: Buffer;
}

/** One row of `consent_rule`. */
export interface ConsentRow {
  readonly provision: string;
  readonly depth: number;
  readonly permit: boolean;
  readonly rank: number;
  /** RFC 3339 or `-infinity` / `infinity`. */
  readonly from: string;
  readonly until: string;
  readonly namesEmergency: boolean;
  /** One list per condition. */
  readonly conditions: readonly (readonly Token[])[];
  readonly readers: readonly Token[];
}

export interface PatientLocks {
  readonly shared: readonly string[];
  readonly exclusive: readonly string[];
  readonly mergings: readonly Merging[];
  readonly guards: readonly Guard[];
}

/**
 * Writers of a patient's records share that patient's lock, writers of a consent hold it alone: so that a record written
 * while a consent is granted counts as granted. Guards take theirs alone. All in one order, so that none waits in a ring.
 *
 * A consent is also of whomever its patient is merged with: who that is does not change while its writer shares the lock
 * of merging, which those who merge hold alone.
 */
export function lockPatients(sql: Sql, { shared, exclusive, mergings, guards }: PatientLocks): Promise<unknown> {
  const alone = [...exclusive, ...mergings.flatMap(({ patient, others }) => [patient, ...others])];
  const patients = alone.length === 0 ? [lockShared(sql, shared)] : lockMerged(sql, shared, alone, mergings.length > 0);
  return Promise.all([
    ...patients,
    ...(guards.length === 0
      ? []
      : [
          sql.query('select pg_advisory_xact_lock(lock) from unnest($1::bigint[]) as lock', [
            guards.map((guard) => guard.lock).sort(),
          ]),
        ]),
  ]);
}

function lockShared(sql: Sql, patients: readonly string[]): Promise<unknown> {
  const text = `select pg_advisory_xact_lock_shared(hashtextextended(patient::text, 0))
    from unnest($1::uuid[]) as patient`;
  return sql.query(text, [patients.toSorted()]);
}

function lockMerged(sql: Sql, shared: readonly string[], alone: readonly string[], isMerging: boolean) {
  const lock = isMerging ? 'pg_advisory_xact_lock' : 'pg_advisory_xact_lock_shared';
  return [
    sql.query(`select ${lock}(hashtextextended('medseal merging', 0))`, []),
    sql.query(
      `select case when alone
         then pg_advisory_xact_lock(hashtextextended(patient::text, 0))
         else pg_advisory_xact_lock_shared(hashtextextended(patient::text, 0)) end
       from (
         select patient, bool_or(alone) as alone
         from (
           select patient, false as alone from unnest($1::uuid[]) as patient
           union all select patient, true from unnest(merged_with($2::uuid[])) as patient
         ) wanted group by patient order by patient
       ) as one`,
      [shared, alone],
    ),
  ];
}

const INSERT_VERSIONS = `
with input as (
  select * from unnest(
    $1::smallint[], $2::text[], $3::uuid[], $4::integer[], $5::text[], $6::timestamptz[], $7::text[], $8::text[],
    $9::text[], $10::bytea[], $11::text[], $12::bytea[], $13::text[], $14::text[], $15::uuid[], $16::bigint[],
    $17::text[], $18::integer[]
  ) with ordinality as i (institution, type, id_token, version, interaction, at, patients, facets,
    sealed, digest, envelope, leaf_hash, tokens, readers, content_token, self, traits, indexed_by, place)
),
added as (
  insert into resource_version
    (institution, type, id_token, version, interaction, at, patients, facets, sealed, digest, envelope, leaf_hash)
  select institution, type, id_token, version, interaction, at, patients::uuid[], facets::bigint[],
    sealed, digest, envelope, leaf_hash
  from input order by place
  returning id, id_token, version
),
newest as (
  insert into resource_current as c
    (self, id_token, version_id, institution, type, version, at, deleted, tokens, traits, readers, content_token, behind)
  select i.self, i.id_token, a.id, i.institution, i.type, i.version, i.at, i.interaction = 'delete', i.tokens::bigint[], i.traits::bigint[],
    i.readers::bigint[] || array(
      select distinct reader from consent_rule r, unnest(r.readers) as reader
      where r.patient = any (i.patients::uuid[]) and r.permit),
    i.content_token,
    i.interaction <> 'delete' and i.indexed_by < coalesce(
      (select revision from search_parameter_set s where s.institution = i.institution), 0)
  from input i join added a using (id_token, version)
  on conflict (self, id_token) do update set
    version_id = excluded.version_id, version = excluded.version, at = excluded.at, deleted = excluded.deleted,
    tokens = excluded.tokens, traits = excluded.traits, readers = excluded.readers, content_token = excluded.content_token,
    behind = excluded.behind
  where c.version < excluded.version
)
insert into leaf_pending (institution, log, hash, version_id)
select i.institution, 1, i.leaf_hash, a.id from input i join added a using (id_token, version) order by i.place`;

export function insertVersions(sql: Sql, rows: readonly VersionRow[]): Promise<unknown> {
  return sql.query(INSERT_VERSIONS, [
    rows.map((row) => row.draft.institution.id),
    rows.map((row) => row.draft.type),
    rows.map((row) => row.draft.idToken),
    rows.map((row) => row.draft.version),
    rows.map((row) => row.draft.interaction),
    rows.map((row) => row.draft.at),
    rows.map((row) => arrayLiteral(row.draft.patients)),
    rows.map((row) => arrayLiteral(row.draft.facets)),
    rows.map((row) => row.sealed ?? null),
    rows.map((row) => row.digest ?? null),
    rows.map((row) => row.envelope),
    rows.map((row) => row.leafHash),
    rows.map((row) => arrayLiteral(row.draft.tokens)),
    rows.map((row) => arrayLiteral(row.draft.readers)),
    rows.map((row) => row.draft.contentToken ?? null),
    rows.map((row) => selfToken(row.draft.idToken)),
    rows.map((row) => arrayLiteral(row.draft.traits)),
    rows.map((row) => row.draft.indexedBy ?? 0),
  ]);
}

/** Puts this version's rules in place of whatever the same Consent stood for before. */
export async function replaceConsent(sql: Sql, draft: VersionDraft, change: ConsentChange): Promise<void> {
  const statements: Promise<unknown>[] = [
    sql.query('delete from consent_rule where consent = $1', [draft.idToken]),
    sql.query('delete from consent_current where consent = $1', [draft.idToken]),
  ];
  if (change.present && change.patient !== undefined) {
    statements.push(
      sql.query(
        `insert into consent_current (consent, patient, version_id)
         select id_token, $3, id from resource_version where id_token = $1 and version = $2`,
        [draft.idToken, draft.version, change.patient],
      ),
      insertRules(sql, draft, change.patient, change.rules),
      addReaders(sql, change.patient, change.rules),
      settleMerges(sql, change.patient),
    );
  }
  if (change.entry !== undefined) statements.push(insertEntry(sql, draft, change.entry));
  await Promise.all(statements);
}

/** Of one that never was in force the ledger need not know. Behind a withdrawal stands whatever came before it. */
function insertEntry(sql: Sql, draft: VersionDraft, entry: ConsentLedgerEntry): Promise<unknown> {
  return sql.query(
    `insert into consent_entry (institution, consent, version, active, fresh_key, commitment, grantees, valid_from,
       valid_until)
     select v.institution, v.id_token, v.version, $3, $4, v.leaf_hash, $5, coalesce($6::timestamptz, v.at), $7
     from resource_version v where v.id_token = $1 and v.version = $2
       and ($3 or exists (select from consent_entry b where b.consent = v.id_token))
     on conflict do nothing`,
    [draft.idToken, draft.version, entry.active, entry.freshKey, entry.grantees, entry.from, entry.until],
  );
}

function insertRules(sql: Sql, draft: VersionDraft, patient: string, rules: readonly ConsentRow[]): Promise<unknown> {
  return sql.query(
    `insert into consent_rule (patient, consent, consent_version, provision, depth, permit, rank, valid_from,
       valid_until, names_emergency, conditions, readers)
     select $1, $2, $3, provision, depth, permit, rank, valid_from, valid_until, names_emergency,
       conditions::bigint[], readers::bigint[]
     from unnest($4::text[], $5::smallint[], $6::boolean[], $7::smallint[], $8::timestamptz[], $9::timestamptz[],
       $10::boolean[], $11::text[], $12::text[])
       as r (provision, depth, permit, rank, valid_from, valid_until, names_emergency, conditions, readers)`,
    [
      patient,
      draft.idToken,
      draft.version,
      rules.map((rule) => rule.provision),
      rules.map((rule) => rule.depth),
      rules.map((rule) => rule.permit),
      rules.map((rule) => rule.rank),
      rules.map((rule) => rule.from),
      rules.map((rule) => rule.until),
      rules.map((rule) => rule.namesEmergency),
      rules.map((rule) => matrixLiteral(rule.conditions)),
      rules.map((rule) => arrayLiteral(rule.readers)),
    ],
  );
}

/** A withdrawal leaves the readers as they are: they are a superset, and the views decide. */
function addReaders(sql: Sql, patient: string, rules: readonly ConsentRow[]): Promise<unknown> {
  const readers = [...new Set(rules.filter((rule) => rule.permit).flatMap((rule) => rule.readers))];
  if (readers.length === 0) return Promise.resolve();
  return sql.query(
    `update resource_current set readers = array(select distinct reader from unnest(readers || $2::bigint[]) as reader)
     where readers @> array[$1::bigint] and not readers @> $2::bigint[]`,
    [selfToken(patient).toString(), readers],
  );
}

export async function insertIdempotency(sql: Sql, record: IdempotencyRecord): Promise<void> {
  await sql.query(
    `insert into idempotency (institution, key_token, request_token, response, at) values ($1, $2, $3, $4, $5)`,
    [record.institution, record.keyToken, record.requestToken, record.response, record.at],
  );
}

/** Whether these very rows are there, after a COMMIT whose answer was lost. A leaf hash is random, so it tells. */
export async function selectCommitted(database: Database, rows: readonly VersionRow[]): Promise<boolean> {
  const [first] = rows;
  if (first === undefined) return false;
  const found = await database.query(
    'writer',
    'select 1 from resource_version where id_token = $1 and version = $2 and leaf_hash = $3',
    [first.draft.idToken, first.draft.version, first.leafHash],
  );
  return found.length > 0;
}

function arrayLiteral(values: readonly string[]): string {
  return `{${values.join(',')}}`;
}

/** PostgreSQL's matrices are rectangular: shorter rows are padded with 0, which is no token. */
function matrixLiteral(rows: readonly (readonly string[])[]): string {
  const width = Math.max(0, ...rows.map((row) => row.length));
  return arrayLiteral(rows.map((row) => arrayLiteral([...row, ...Array<string>(width - row.length).fill('0')])));
}
