import { Client } from 'pg';
import { MedSealError } from '../../errors.ts';
import { DatabaseError } from '../database/database-error.ts';
import { clientConfig, type Login } from '../database/postgres.ts';
import { selectTables, type TableName } from './catalog.ts';
import type { Chunk } from './dump.ts';

/** A database that is being restored, in one transaction: until `commit`, nothing of it is there. */
export interface Load {
  /** @throws MedSealError `sealed-content-damaged` for a table that this database does not have */
  insert(chunk: Chunk): Promise<void>;
  commit(): Promise<void>;
  /** Ends the connection; what is not committed by then is gone. */
  close(): Promise<void>;
}

/** The embedded ledger: its blocks are not overwritten by an older state of them. */
const LEDGER = 'ledger.';

/**
 * Begins to restore a database, connected to it as its owner, after its migrations.
 *
 * The ledger may be there already, as when only records were lost. Then it stays as it is, and must hold every block of
 * the backup: a server that starts on older records finds out, and refuses writes until they are replayed from it.
 *
 * @throws MedSealError `already-exists` when there is anything else in it, `invalid-configuration` while a server uses it
 */
export async function beginLoad(owner: Login): Promise<Load> {
  const client = new Client(clientConfig(owner, 'owner', {}));
  // A connection that is lost also fails the statement that is under way.
  client.on('error', () => undefined);
  const sql = {
    async query<Row>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
      try {
        return (await client.query(text, [...values])).rows as Row[];
      } catch (cause) {
        throw new DatabaseError(cause, false);
      }
    },
  };
  try {
    await client.connect();
    await sql.query('begin');
    await refuseWhileInUse(sql);
    const tables = await selectTables(sql);
    const filled = await filledTables(sql, tables);
    const keepsLedger = filled.includes(`${LEDGER}block`);
    const inTheWay = filled.filter((table) => !table.startsWith(LEDGER));
    if (inTheWay.length > 0) {
      throw new MedSealError('already-exists', `The database is not empty: there are rows in ${inTheWay.join(', ')}.`);
    }
    return {
      async insert(chunk) {
        if (!tables.includes(chunk.table)) throw unknownTable(chunk.table);
        if (keepsLedger && chunk.table.startsWith(LEDGER)) return compareWithLedger(sql, chunk);
        await sql.query(
          `insert into ${chunk.table} overriding system value
           select * from json_populate_recordset(null::${chunk.table}, $1::json)`,
          [`[${chunk.text}]`],
        );
      },
      async commit() {
        for (const table of tables) await continueSequences(sql, table);
        await sql.query('commit');
      },
      close: () => client.end(),
    };
  } catch (error) {
    await client.end();
    throw error;
  }
}

type Statements = { query<Row>(text: string, values?: readonly unknown[]): Promise<readonly Row[]> };

async function refuseWhileInUse(sql: Statements): Promise<void> {
  const [{ used } = { used: true }] = await sql.query<{ used: boolean }>(
    `select exists (
       select from pg_stat_activity
       where datname = current_database() and usename in ('medseal_writer', 'medseal_reader', 'medseal_keys')
     ) as used`,
  );
  if (used) throw new MedSealError('invalid-configuration', 'A server uses the database; stop it first.');
}

async function filledTables(sql: Statements, tables: readonly TableName[]): Promise<readonly TableName[]> {
  const filled: TableName[] = [];
  for (const table of tables) {
    const [{ exists } = { exists: true }] = await sql.query<{ exists: boolean }>(
      `select exists (select from ${table})`,
    );
    if (exists) filled.push(table);
  }
  return filled;
}

/** Blocks are hash-linked: those of the backup must be among those that are there. What follows from them is not asked. */
async function compareWithLedger(sql: Statements, { table, text }: Chunk): Promise<void> {
  if (table !== `${LEDGER}block`) return;
  const [{ differs } = { differs: true }] = await sql.query<{ differs: boolean }>(
    `select exists (
       select from json_populate_recordset(null::ledger.block, $1::json) as theirs
       left join ledger.block as ours on ours.number = theirs.number
       where ours.hash is distinct from theirs.hash
     ) as differs`,
    [`[${text}]`],
  );
  if (!differs) return;
  throw new MedSealError(
    'version-conflict',
    'The ledger that is here is another one than that of the backup, or older.',
  );
}

/** Identity columns go on after the highest number that was restored. */
async function continueSequences(sql: Statements, table: TableName): Promise<void> {
  const columns = await sql.query<{ column: string }>(
    `select attname as column from pg_attribute
     where attrelid = $1::text::regclass and attidentity <> '' and not attisdropped`,
    [table],
  );
  for (const { column } of columns) {
    await sql.query(
      `select setval(pg_get_serial_sequence($1, $2), greatest(1, coalesce(max(${column}), 1)), max(${column}) is not null)
       from ${table}`,
      [table, column],
    );
  }
}

function unknownTable(table: TableName): MedSealError {
  return new MedSealError('sealed-content-damaged', `The backup holds a table that is unknown: ${table}`);
}
