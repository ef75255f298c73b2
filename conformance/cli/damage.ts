import assert from 'node:assert/strict';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from 'pg';

/** Undoes a damage. */
export type Undo = () => Promise<unknown>;

/** Gives one column of one row another value, by an expression. */
export async function change(
  sql: Client,
  table: string,
  row: string,
  values: Readonly<Record<string, string>>,
): Promise<Undo> {
  const names = Object.keys(values);
  const kept = await sql.query(`select ${names.join(', ')} from ${table} where ${row}`);
  assert.equal(kept.rowCount, 1, `${table} where ${row}`);
  const assignments = names.map((name) => `${name} = ${values[name]}`).join(', ');
  // The row may not be found by the same condition afterwards.
  const { rows } = await sql.query(`update ${table} set ${assignments} where ${row} returning ctid::text`);
  return () =>
    sql.query(
      `update ${table} set ${names.map((name, index) => `${name} = $${index + 1}`).join(', ')} where ctid = '${rows[0].ctid}'`,
      names.map((name) => kept.rows[0][name]),
    );
}

export async function remove(sql: Client, table: string, rows: string): Promise<Undo> {
  await sql.query(`create temporary table kept as select * from ${table} where ${rows}`);
  const { rowCount } = await sql.query(`delete from ${table} where ${rows}`);
  assert.ok((rowCount ?? 0) > 0, `${table} where ${rows}`);
  return async () => {
    await sql.query(`insert into ${table} overriding system value select * from kept`);
    await sql.query('drop table kept');
  };
}

export async function insert(sql: Client, table: string, columns: string, query: string, key: string): Promise<Undo> {
  const { rows } = await sql.query(
    `insert into ${table} (${columns}) overriding system value ${query} returning ${key} as key`,
  );
  return () => sql.query(`delete from ${table} where ${key} = $1`, [rows[0].key]);
}

/** Flips one bit of a block, in whatever CAR file it lies. @param digest sha2-256 of the block */
export async function flipBlock(dataDirectory: string, digest: Buffer): Promise<Undo> {
  const cars = join(dataDirectory, 'content', 'cars');
  for (const name of await readdir(cars)) {
    const path = join(cars, name);
    const file = await open(path, 'r+');
    try {
      const bytes = await file.readFile();
      const at = sectionOf(bytes, digest);
      if (at === undefined) continue;
      const position = at + digest.length + 10;
      await flip(path, position);
      return () => flip(path, position);
    } finally {
      await file.close();
    }
  }
  throw new Error('no CAR file has the block');
}

/** Where in a CARv1 file the CID of this block's own section ends in its digest; links to it begin with a zero byte. */
function sectionOf(bytes: Buffer, digest: Buffer): number | undefined {
  const prefix = 4;
  for (let at = bytes.indexOf(digest); at >= 0; at = bytes.indexOf(digest, at + 1)) {
    if (bytes[at - prefix - 1] !== 0) return at;
  }
  return undefined;
}

async function flip(path: string, position: number): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, position);
    await file.write(Buffer.of((byte[0] ?? 0) ^ 1), 0, 1, position);
  } finally {
    await file.close();
  }
}
