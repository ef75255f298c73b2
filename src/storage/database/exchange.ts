import { type Connection, Query } from 'pg';
import { valueParser, wireText } from './values.ts';

/** A statement with its parameters as `$1`, `$2`, …; its text is constant, so that it is prepared once per connection. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** What a connection knows of a statement that it has prepared. */
export interface PreparedStatement {
  readonly name: string;
  /** How its rows are read; undefined until the server has described them. */
  columns: readonly Column[] | undefined;
}

interface Column {
  readonly name: string;
  readonly parse: (text: string) => unknown;
}

export type Rows = readonly unknown[];

/**
 * Any number of statements up to one Sync: they travel in one piece, and so do their answers. Where no transaction is
 * open they are one of their own, which the Sync commits; when one fails, those behind it are passed over and nothing is
 * committed. Rows are described the first time only.
 *
 * A {@link Query} by type, because in pipeline mode `pg` takes no other; of its behaviour nothing is left.
 *
 * https://www.postgresql.org/docs/18/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 */
class Exchange extends Query {
  /** Called once: with what the server or the connection said, or with the rows of each statement. */
  callback: (error: unknown, results?: readonly Rows[]) => void;
  readonly #statements: readonly BoundStatement[];
  readonly #results: Rows[] = [];
  #rows: unknown[] = [];
  #unreadable: unknown;

  constructor(statements: readonly BoundStatement[], callback: Exchange['callback']) {
    super('');
    this.#statements = statements;
    this.callback = callback;
  }

  override submit = (connection: Connection): void => {
    const { stream } = connection;
    stream.cork();
    try {
      for (const { prepared, isNew, text, values } of this.#statements) {
        const { name } = prepared;
        if (isNew) connection.parse({ name, text, types: [] }, true);
        connection.bind({ statement: name, values: [...values] }, true);
        if (prepared.columns === undefined) connection.describe({ type: 'P' }, true);
        connection.execute({}, true);
      }
      connection.sync();
    } finally {
      stream.uncork();
    }
  };

  /** What it sends, for whoever watches a connection. */
  get texts(): readonly string[] {
    return this.#statements.map(({ text }) => text);
  }

  get #current(): PreparedStatement | undefined {
    return this.#statements[this.#results.length]?.prepared;
  }

  handleRowDescription({ fields }: { readonly fields: readonly Field[] }): void {
    const prepared = this.#current;
    if (prepared === undefined) return;
    prepared.columns = fields.map(({ name, dataTypeID }) => ({ name, parse: valueParser(dataTypeID) }));
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    try {
      this.#rows.push(readRow(this.#current?.columns ?? [], fields));
    } catch (error) {
      this.#unreadable ??= error;
    }
  }

  handleCommandComplete(): void {
    const prepared = this.#current;
    // Without a description there are no rows to describe.
    if (prepared !== undefined) prepared.columns ??= [];
    this.#results.push(this.#rows);
    this.#rows = [];
  }

  handleError(error: unknown): void {
    this.callback(error);
  }

  handleReadyForQuery(): void {
    if (this.#unreadable === undefined) this.callback(undefined, this.#results);
    else this.callback(this.#unreadable);
  }
}

interface Field {
  readonly name: string;
  readonly dataTypeID: number;
}

interface BoundStatement {
  readonly prepared: PreparedStatement;
  readonly isNew: boolean;
  readonly text: string;
  readonly values: readonly (string | Buffer | null)[];
}

function readRow(columns: readonly Column[], fields: readonly (string | null)[]): unknown {
  const row: Record<string, unknown> = {};
  for (const [index, { name, parse }] of columns.entries()) {
    const text = fields[index] ?? null;
    row[name] = text === null ? null : parse(text);
  }
  return row;
}

/**
 * Sends these statements now; the promise is for the rows of each.
 *
 * @param known the statements that this connection has prepared, by their texts
 * @throws what the server or the connection said; TypeError for a value that is none, before anything is sent
 */
export function exchange(
  client: { query(exchange: Exchange): unknown },
  known: Map<string, PreparedStatement>,
  statements: readonly Statement[],
): Promise<readonly Rows[]> {
  // All values first: a statement must not be on its way when one behind it turns out to have none.
  const written = statements.map(({ values }) => values.map(wireText));
  const bound = statements.map(({ text }, index): BoundStatement => {
    const before = known.get(text);
    const prepared = before ?? { name: `s${known.size}`, columns: undefined };
    known.set(text, prepared);
    return { prepared, isNew: before === undefined, text, values: written[index] ?? [] };
  });
  return new Promise((resolve, reject) => {
    client.query(
      new Exchange(bound, (error, results = []) => {
        if (error === undefined) resolve(results);
        else reject(error);
      }),
    );
  });
}
