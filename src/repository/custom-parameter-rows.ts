import type { Token } from '../sealing/blind-index/tokenizer.ts';
import type { Database, Sql } from '../storage/database/port.ts';

/** What a version of a SearchParameter puts in force; nothing where it is draft, retired or deleted. */
export interface SearchParameterChange {
  readonly active: { readonly types: readonly string[]; readonly definition: Token } | undefined;
}

export interface ParameterRow {
  readonly versionId: bigint;
  readonly idToken: string;
  readonly searchable: boolean;
}

/** How often an institution's set was changed. */
export async function selectRevision(sql: Pick<Sql, 'query'>, institution: number): Promise<number> {
  const text = 'select revision from search_parameter_set where institution = $1';
  const [row] = await sql.query<{ revision: number }>(text, [institution]);
  return row?.revision ?? 0;
}

/** Those that have, or had, custom parameters. */
export async function selectInstitutions(database: Database): Promise<readonly number[]> {
  const text = 'select institution from search_parameter_set order by institution';
  return (await database.query<{ institution: number }>('writer', text)).map(({ institution }) => institution);
}

/** The version rows of what is in force, and whether all records are indexed by it. */
export function selectParameters(database: Database, institution: number): Promise<readonly ParameterRow[]> {
  return database.query<ParameterRow>(
    'writer',
    `select v.id as "versionId", p.id_token as "idToken", r.finished_at is not null as searchable
     from custom_parameter p
       join resource_version v on v.id_token = p.id_token and v.version = p.version
       join reindex_run r on r.id = p.run
     where p.institution = $1 order by p.id_token`,
    [institution],
  );
}

/** A set's row before a run's, everywhere, so that none waits in a ring. */
const COUNT_CHANGE = `insert into search_parameter_set (institution, revision) values ($1, 1)
  on conflict (institution) do update set revision = search_parameter_set.revision + 1`;

const PUT_IN_FORCE = `
with known as (
  select run from custom_parameter where id_token = $2 and definition = $5
),
queued as (
  insert into reindex_run (institution, types)
  select $1, $4::text[] where not exists (select from known)
  on conflict (institution) where started_at is null
  do update set types = array(select distinct unnest(reindex_run.types || excluded.types))
  returning id
)
insert into custom_parameter (id_token, institution, version, types, definition, run)
select $2, $1, $3, $4::text[], $5, coalesce((select id from queued), (select run from known))
on conflict (id_token) do update set
  version = excluded.version, types = excluded.types, definition = excluded.definition, run = excluded.run`;

const PUT_OUT_OF_FORCE = `
with gone as (
  delete from custom_parameter where id_token = $2 and institution = $1 returning institution
)
insert into search_parameter_set (institution, revision) select institution, 1 from gone
on conflict (institution) do update set revision = search_parameter_set.revision + 1`;

/** In the transaction that writes the version: from its commit on it counts, and the run that it needs is waiting. */
export function changeSearchParameter(
  sql: Sql,
  institution: number,
  { idToken, version }: { readonly idToken: string; readonly version: number },
  { active }: SearchParameterChange,
): Promise<unknown> {
  if (active === undefined) return sql.query(PUT_OUT_OF_FORCE, [institution, idToken]);
  return Promise.all([
    sql.query(COUNT_CHANGE, [institution]),
    sql.query(PUT_IN_FORCE, [institution, idToken, version, active.types, active.definition]),
  ]);
}
