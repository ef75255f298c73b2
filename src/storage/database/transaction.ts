import { invariant, MedSealError } from '../../errors.ts';
import type { Connection } from './connection.ts';
import { DatabaseError } from './database-error.ts';
import type { Rows, Statement } from './exchange.ts';
import type { Sql, TransactionOptions } from './port.ts';

/** Runs one transaction on a connection that nobody else uses meanwhile. See `Database.transaction`. */
export async function runTransaction<T>(
  connection: Connection,
  work: (sql: Sql) => Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  return options.pipelined ? runPipelined(connection, work, options) : runInteractive(connection, work, options);
}

async function runInteractive<T>(
  connection: Connection,
  work: (sql: Sql) => Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  const statements = openStatements(connection);
  const [begun, working] = connection.together(() => [begin(connection, options), start(work, statements)]);
  try {
    const [, result] = await settleBoth(begun, working);
    statements.close();
    await commit(connection, statements);
    return result;
  } catch (error) {
    // After a COMMIT that failed this is not needed, and harmless.
    statements.close();
    await rollback(connection);
    throw error;
  }
}

/** One exchange, which is a transaction of its own: neither BEGIN nor COMMIT takes a message. */
async function runPipelined<T>(
  connection: Connection,
  work: (sql: Sql) => Promise<T>,
  { settings = {}, readOnly, isolation }: TransactionOptions,
): Promise<T> {
  invariant(isolation === undefined, 'A pipelined transaction has no isolation level of its own.');
  const statements = collectStatements();
  const all = readOnly ? { ...settings, transaction_read_only: 'on' } : settings;
  if (Object.keys(all).length > 0) void statements.sql.query(...settingStatement(all));
  const working = start(work, statements);
  statements.close();
  // When the exchange fails it says so itself, and `work` says it too.
  working.catch(() => undefined);
  await statements.sendTo(connection);
  return working;
}

/** Runs `work` up to its first await; what it throws before that becomes a rejection too. */
async function start<T>(work: (sql: Sql) => Promise<T>, statements: { readonly sql: Sql }): Promise<T> {
  return work(statements.sql);
}

/** Statements that `work` may issue until `close`. */
interface Statements {
  readonly sql: Sql;
  close(): void;
  /** Of the statements issued, once all are answered, the first error. */
  firstError(): Promise<unknown>;
}

function openStatements(connection: Connection): Statements {
  let open = true;
  const issued: Promise<unknown>[] = [];
  return {
    sql: {
      query<Row>(text: string, values: readonly unknown[] = []) {
        invariant(open, 'A statement was issued after its transaction had ended.');
        const rows = connection.exchange([{ text, values }]).then(([first]) => first as readonly Row[]);
        issued.push(rows);
        // `work` may not wait for it, because another failed first; COMMIT tells that something did.
        rows.catch(() => undefined);
        return rows;
      },
    },
    close: () => {
      open = false;
    },
    async firstError() {
      const outcomes = await Promise.allSettled(issued);
      return outcomes.find((outcome) => outcome.status === 'rejected')?.reason;
    },
  };
}

/** Statements that wait until `work` has issued all of them. */
function collectStatements() {
  const waiting: { readonly statement: Statement; readonly answer: PromiseWithResolvers<Rows> }[] = [];
  let open = true;
  const sql: Sql = {
    query<Row>(text: string, values: readonly unknown[] = []) {
      invariant(open, 'A statement was issued after its transaction had ended.');
      const answer = Promise.withResolvers<Rows>();
      // `work` may not wait for it; the exchange tells when something failed.
      answer.promise.catch(() => undefined);
      waiting.push({ statement: { text, values }, answer });
      return answer.promise as Promise<readonly Row[]>;
    },
  };
  return {
    sql,
    close: () => {
      open = false;
    },
    /** @throws DatabaseError when one failed: nothing of them is committed */
    async sendTo(connection: Connection): Promise<void> {
      if (waiting.length === 0) return;
      try {
        const results = await connection.exchange(waiting.map(({ statement }) => statement));
        for (const [index, { answer }] of waiting.entries()) answer.resolve(results[index] ?? []);
      } catch (cause) {
        const error = asSentWithCommit(cause);
        for (const { answer } of waiting) answer.reject(error);
        throw error;
      }
    },
  };
}

async function begin(connection: Connection, options: TransactionOptions): Promise<void> {
  const isolation = options.isolation === undefined ? '' : ` isolation level ${options.isolation}`;
  const begun = connection.command(`begin${isolation}${options.readOnly ? ' read only' : ''}`);
  const settings = options.settings ?? {};
  if (Object.keys(settings).length === 0) return void (await begun);
  const [text, values] = settingStatement(settings);
  await settleBoth(begun, connection.exchange([{ text, values }]));
}

/** set_config answers with the value; as a condition that never holds it sends nothing back. */
function settingStatement(settings: Readonly<Record<string, string>>): readonly [text: string, values: string[]] {
  const entries = Object.entries(settings);
  const calls = entries.map((_, index) => `set_config($${2 * index + 1}, $${2 * index + 2}, true) is null`);
  return [`select where ${calls.join(' or ')}`, entries.flat()];
}

async function commit(connection: Connection, statements: Statements): Promise<void> {
  let command: string;
  try {
    command = await connection.command('commit');
  } catch (error) {
    throw asSentWithCommit(error);
  }
  // PostgreSQL answers COMMIT of a transaction with a failed statement by ROLLBACK, not by an error. `work` may not have
  // awaited that statement, or may have caught its error.
  if (command === 'COMMIT') return;
  throw (await statements.firstError()) ?? new MedSealError('internal', 'The database rolled a transaction back.');
}

/** A connection that is lost while COMMIT is on its way leaves open whether it arrived. */
function asSentWithCommit(error: unknown): unknown {
  return error instanceof DatabaseError ? new DatabaseError(error.cause, true) : error;
}

async function rollback(connection: Connection): Promise<void> {
  try {
    await connection.command('rollback');
  } catch (error) {
    // The connection is ended when it is given back, which rolls back too; what matters is why `work` failed.
    if (!(error instanceof DatabaseError)) throw error;
  }
}

/** Like Promise.all of two, but waits for both, so that nothing is in flight any more and no rejection is unhandled. */
async function settleBoth<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second]);
  return Promise.all([first, second]);
}
