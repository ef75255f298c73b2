/** The tamper drill: whatever is done to the access trail in the database up to the last anchor is found. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from 'pg';
import { change, remove, type Undo } from '../cli/damage.ts';
import { startScrubWorld } from '../cli/scrub-world.ts';

const world = await startScrubWorld();
const { records } = world;

const ACCESS = 'log = 2';
const OLDEST = `id = (select min(id) from access_entry)`;

/** One after the other, and undone the other way about. */
async function all(...damages: readonly (() => Promise<Undo>)[]): Promise<Undo> {
  const undo: Undo[] = [];
  for (const damage of damages) undo.unshift(await damage());
  return async () => {
    for (const one of undo) await one();
  };
}

/** `remove` keeps what it took in one table, so the rows of several go one by one. */
async function take(sql: Client, table: string, rows: string): Promise<Undo> {
  const name = `kept_${table}`;
  await sql.query(`create temporary table ${name} as select * from ${table} where ${rows}`);
  const { rowCount } = await sql.query(`delete from ${table} where ${rows}`);
  assert.ok((rowCount ?? 0) > 0, `${table} where ${rows}`);
  return async () => {
    await sql.query(`insert into ${table} overriding system value select * from ${name}`);
    await sql.query(`drop table ${name}`);
  };
}

/** As if nothing after this size of the log had ever been. */
function cut(size: string): Promise<Undo> {
  const after = `${ACCESS} and number >= ${size}`;
  return all(
    () => take(records, 'access_entry', `id in (select access_id from leaf where ${after})`),
    () => take(records, 'leaf', after),
    () => take(records, 'batch', `${ACCESS} and size > ${size}`),
  );
}

async function number(expression: string): Promise<string> {
  const { rows } = await records.query(`select ${expression} as number`);
  return String(rows[0].number);
}

const DRILLS: readonly (readonly [name: string, damage: () => Promise<Undo>])[] = [
  [
    'an entry is edited',
    () => change(records, 'access_entry', OLDEST, { sealed: `overlay(sealed placing 'zz' from 40)` }),
  ],
  [
    'an entry is edited, and its leaf with it',
    () =>
      all(
        () => change(records, 'access_entry', OLDEST, { leaf_hash: `sha256('forged')` }),
        () => change(records, 'leaf', 'access_id = (select min(id) from access_entry)', { hash: `sha256('forged')` }),
      ),
  ],
  ['an entry is deleted', () => remove(records, 'access_entry', OLDEST)],
  [
    'an entry is deleted, and its leaf with it',
    () =>
      all(
        () => take(records, 'leaf', 'access_id = (select min(id) from access_entry)'),
        () => take(records, 'access_entry', OLDEST),
      ),
  ],
  [
    'two entries change places',
    async () => {
      const swap = `update leaf l set hash = o.hash, access_id = o.access_id from leaf o
        where l.log = 2 and o.log = 2 and l.institution = o.institution and l.number in (0, 1) and o.number = 1 - l.number`;
      assert.equal((await records.query(swap)).rowCount, 2);
      return () => records.query(swap);
    },
  ],
  ['the end is cut off', async () => cut(await number(`(select max(first) from batch where ${ACCESS})`))],
  ['an old copy is put back', async () => cut(await number(`(select min(size) from batch where ${ACCESS})`))],
];

test('a trail that was left alone is whole', async () => assert.deepEqual((await world.scrub()).findings, []));

for (const [name, damage] of DRILLS) {
  test(`${name}: it is found`, async () => {
    const undo = await damage();
    const { findings } = await world.scrub();
    await undo();
    assert.ok(findings.length > 0, 'nothing was found');
    assert.deepEqual((await world.scrub()).findings, [], 'put back, nothing is found');
  });
}
