/**
 * Loaded into a server by `--import`: takes down the text of every statement that it sends to PostgreSQL, with who sent
 * it, a JSON line each, the first time that it is sent. The file is named by TEST_STATEMENTS.
 */
import { appendFileSync } from 'node:fs';
import pg from 'pg';

const file = process.env.TEST_STATEMENTS ?? '';
const seen = new Set<string>();

/** `pg` takes a text, a configuration with one, or something that submits itself. */
type Query = string | { readonly text?: string };

const query = pg.Client.prototype.query as (this: pg.Client, ...args: unknown[]) => unknown;

function recorded(this: pg.Client, ...args: unknown[]): unknown {
  const [first] = args as [Query];
  const text = typeof first === 'string' ? first : first.text;
  const key = `${this.user} ${text}`;
  if (text !== undefined && !seen.has(key)) {
    seen.add(key);
    appendFileSync(file, `${JSON.stringify({ user: this.user, text })}\n`);
  }
  return query.apply(this, args);
}

Object.defineProperty(pg.Client.prototype, 'query', { value: recorded });
