import pg from 'pg';
import type { Database, Role } from '../../src/storage/database/port.ts';

/** One node of PostgreSQL's plan, with the parts that tests look at. */
export interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Total Cost': number;
  readonly 'Plan Rows': number;
  readonly Plans?: readonly Plan[];
}

/** How PostgreSQL would run `text` as `role` under these transaction-local settings. */
export async function explain(
  database: Database,
  role: Role,
  settings: Readonly<Record<string, string>>,
  text: string,
  values: readonly unknown[] = [],
): Promise<Plan> {
  const rows = await database.transaction(
    role,
    (sql) => sql.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(`explain (format json) ${text}`, values),
    { settings, pipelined: true },
  );
  const [row] = rows;
  if (row === undefined) throw new Error('EXPLAIN answered nothing');
  return row['QUERY PLAN'][0].Plan;
}

/** A statement is planned anew for its first five values; then PostgreSQL may keep one plan for all. */
const BEFORE_KEPT = 6;

/** The same for a connection that has run the statement often, as those of a server have. */
export async function explainKept(
  database: Database,
  role: Role,
  settings: Readonly<Record<string, string>>,
  text: string,
  values: readonly unknown[] = [],
): Promise<Plan> {
  const literals = values.map((value) =>
    pg.escapeLiteral(Array.isArray(value) ? `{${value.join(',')}}` : String(value)),
  );
  const execute = `execute probe${literals.length === 0 ? '' : `(${literals.join(', ')})`}`;
  return database.transaction(
    role,
    async (sql) => {
      await sql.query(`prepare probe as ${text}`);
      for (let time = 0; time < BEFORE_KEPT; time++) await sql.query(execute);
      const [row] = await sql.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(`explain (format json) ${execute}`);
      await sql.query('deallocate probe');
      if (row === undefined) throw new Error('EXPLAIN answered nothing');
      return row['QUERY PLAN'][0].Plan;
    },
    { settings },
  );
}

/** The plan's nodes, outermost first. */
export function planNodes(plan: Plan): readonly Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(planNodes)];
}
