/**
 * Loaded into a server by `--import`: takes down the text of every statement that it sends to PostgreSQL, with who sent
 * it, a JSON line each, the first time that it is sent. The file is named by TEST_STATEMENTS.
 */
import { appendFileSync } from 'node:fs';
import pg from 'pg';

const file = process.env.TEST_STATEMENTS ?? '';
const seen = new Set<string>();

/** `pg` takes a text, a configuration with one, or something that submits itself, such as our exchange of statements. */
type Query = string | { readonly text?: string; readonly texts?: readonly string[] };

const query = pg.Client.prototype.query as (this: pg.Client, ...args: unknown[]) => unknown;

function recorded(this: pg.Client, ...args: unknown[]): unknown {
  const [first] = args as [Query];
  for (const text of textsOf(first)) {
    const key = `${this.user} ${text}`;
    if (seen.has(key)) continue;
    seen.add(key);
    appendFileSync(file, `${JSON.stringify({ user: this.user, text })}\n`);
  }
  return query.apply(this, args);
}

function textsOf(sent: Query): readonly string[] {
  if (typeof sent === 'string') return [sent];
  return sent.texts ?? (sent.text === undefined ? [] : [sent.text]);
}

Object.defineProperty(pg.Client.prototype, 'query', { value: recorded });
