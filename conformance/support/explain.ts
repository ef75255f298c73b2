import type { Database, Role } from '../../src/storage/database/port.ts';

/** One node of PostgreSQL's plan, with the parts that tests look at. */
export interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Total Cost': number;
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

/** The plan's nodes, outermost first. */
export function planNodes(plan: Plan): readonly Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(planNodes)];
}
