import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import type { Plan } from '../support/explain.ts';

/** A statement that the server sent. */
export interface Statement {
  /** The login: medseal_writer, medseal_reader or medseal_keys. */
  readonly user: string;
  readonly text: string;
}

/** What can be planned, each text once. */
export function readStatements(file: string): readonly Statement[] {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  const all = lines.map((line) => JSON.parse(line) as Statement);
  const wanted = all.filter(
    ({ text, user }) => /^\s*(?:select|insert|update|delete|with)\b/i.test(text) && user.startsWith('medseal_'),
  );
  return [...new Map(wanted.map((one) => [one.text, one])).values()];
}

/** A node of a plan, with what tells how much of a table it reads. */
export interface Access extends Plan {
  readonly 'Index Cond'?: string;
  readonly Filter?: string;
}

/**
 * How PostgreSQL would run the statement whatever its parameters are, when it avoids reading whole tables wherever there
 * is another way.
 */
export async function genericPlan(client: Client, text: string): Promise<Access> {
  const { rows } = await client.query(`explain (generic_plan, format json) ${text}`);
  const [row] = rows as [{ 'QUERY PLAN': [{ Plan: Access }] }];
  return row['QUERY PLAN'][0].Plan;
}

export async function planner(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString });
  await client.connect();
  await client.query('set enable_seqscan = off; set jit = off');
  return client;
}

const INDEX_SCANS = new Set(['Index Scan', 'Index Only Scan', 'Bitmap Index Scan']);

/**
 * Tables (or indexes, of bitmap scans) that the plan reads from end to end: by themselves, or through an index without a
 * condition. Not what comes out of an index in its order and is cut off by a limit, unless rows are left out on the way.
 */
export function wholeReads(plan: Access, limited = false): readonly string[] {
  const type = plan['Node Type'];
  const bare = INDEX_SCANS.has(type) && plan['Index Cond'] === undefined && !(limited && plan.Filter === undefined);
  const own = type === 'Seq Scan' || bare ? [plan['Relation Name'] ?? plan['Index Name'] ?? '?'] : [];
  const below = type === 'Limit' || (limited && PASSES_ON.has(type));
  const inner = (plan.Plans ?? []) as readonly Access[];
  // Of a join the limit holds for what drives it.
  return [...own, ...inner.flatMap((one, index) => wholeReads(one, below && index === 0))];
}

/** Takes no more rows than are asked of it. */
const PASSES_ON = new Set(['Limit', 'Result', 'Subquery Scan', 'Nested Loop', 'Merge Join', 'LockRows']);
