import type { Sql } from '../database/port.ts';

/** A table of one of the two databases, as `schema.name`, which needs no quotes. */
export type TableName = string;

/**
 * What a restore does without: which migrations ran (a restore runs them itself), and tokens, which live for minutes,
 * and of which some may have been revoked since.
 */
const LEFT_OUT: ReadonlySet<TableName> = new Set(['public.schema_migration', 'public.auth_artifact']);

/** Every table of a database that a backup holds, those that others refer to before them. */
export async function selectTables(sql: Pick<Sql, 'query'>): Promise<readonly TableName[]> {
  const tables = await sql.query<{ name: TableName; needs: readonly TableName[] }>(
    `select t.relnamespace::regnamespace::text || '.' || t.relname as name,
       array(
         select f.relnamespace::regnamespace::text || '.' || f.relname
         from pg_constraint c join pg_class f on f.oid = c.confrelid
         where c.conrelid = t.oid and c.contype = 'f' and c.confrelid <> t.oid
       ) as needs
     from pg_class t
     where t.relkind = 'r' and t.relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
     order by 1`,
    [],
  );
  const open = new Map(tables.filter(({ name }) => !LEFT_OUT.has(name)).map(({ name, needs }) => [name, needs]));
  const ordered: TableName[] = [];
  while (open.size > 0) {
    const next = [...open].find(([, needs]) => !needs.some((need) => open.has(need)));
    // Tables that refer to each other in a circle have no order; there are none.
    const [name] = next ?? [...open][0] ?? [''];
    ordered.push(name);
    open.delete(name);
  }
  return ordered;
}
