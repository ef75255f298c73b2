import type { Sql } from '../database/port.ts';
import type { TableName } from './catalog.ts';

/** Some rows of a table: JSON objects by column, as PostgreSQL writes them, separated by commas. */
export interface Chunk {
  readonly table: TableName;
  readonly rows: number;
  readonly text: string;
}

/** Characters of a chunk, more or less: its rows are held in memory. */
const CHUNK_LENGTH = 1024 * 1024;
const MOST_ROWS = 4096;

/**
 * Reads a table through a cursor. PostgreSQL writes the rows, and will read them, so that no value goes through a
 * JavaScript number.
 *
 * @param sql of a transaction that sees one state of the database
 * @param onChunk takes one before the next is read
 */
export async function dumpTable(sql: Sql, table: TableName, onChunk: (chunk: Chunk) => Promise<void>): Promise<number> {
  const cursor = `backup_${table.replaceAll('.', '_')}`;
  await sql.query(`declare ${cursor} no scroll cursor for select row_to_json(t)::text as row from ${table} as t`, []);
  let total = 0;
  // A row may be megabytes long; how many of them fit shows as they come.
  for (let count = 16; ; ) {
    const rows = await sql.query<{ row: string }>(`fetch ${count} from ${cursor}`, []);
    if (rows.length === 0) break;
    const text = rows.map(({ row }) => row).join();
    total += rows.length;
    await onChunk({ table, rows: rows.length, text });
    if (text.length > CHUNK_LENGTH) count = Math.max(1, Math.floor(count / 2));
    else if (text.length < CHUNK_LENGTH / 2) count = Math.min(MOST_ROWS, count * 2);
  }
  await sql.query(`close ${cursor}`, []);
  return total;
}
