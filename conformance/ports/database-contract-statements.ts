import assert from 'node:assert/strict';
import { explain, planNodes } from '../support/explain.ts';
import { type ContractTest, databaseError, notes } from './database-harness.ts';

export function testStatements(contractTest: ContractTest): void {
  contractTest('values come back as the port says', async ({ database }) => {
    const [row] = await database.query(
      'writer',
      `select $1::int8 as int8, $2::int8[] as int8s, $3::bytea as bytea, $4::timestamptz as instant,
         $5::date as date, $6::numeric as numeric, $7::jsonb as jsonb, $8::text as text, $9::int4 as none,
         $10::timestamptz as whole`,
      [
        -(2n ** 63n),
        [2n ** 63n - 1n, null, -1n],
        Buffer.from([0, 255, 92]),
        new Date('2026-11-22T23:59:59.120+08:00'),
        '2026-02-28',
        '1.0',
        { a: [1] },
        "quote ' and \\ and 中文",
        null,
        '2026-01-01T00:00:00Z',
      ],
    );
    assert.deepEqual(row, {
      int8: -(2n ** 63n),
      int8s: [2n ** 63n - 1n, null, -1n],
      bytea: Buffer.from([0, 255, 92]),
      instant: '2026-11-22T15:59:59.120Z',
      date: '2026-02-28',
      numeric: '1.0',
      jsonb: { a: [1] },
      text: "quote ' and \\ and 中文",
      none: null,
      whole: '2026-01-01T00:00:00.000Z',
    });
  });

  contractTest('an instant that was read is a parameter again', async ({ database }) => {
    const [read] = await database.query<{ now: string }>('writer', 'select now()::timestamptz(3) as now');
    const [same] = await database.query<{ now: string }>('writer', 'select $1::timestamptz as now', [read?.now]);
    assert.equal(same?.now, read?.now);
  });

  contractTest('whole rows go in by unnest, binary arrays included', async ({ database }) => {
    const rows = await database.query(
      'writer',
      'select * from unnest($1::text[], $2::bytea[], $3::int8[]) as row (name, bytes, token)',
      [
        ['a"b', 'c\\d'],
        [Buffer.from('\\x"'), new Uint8Array([0, 1])],
        [1n, -2n],
      ],
    );
    assert.deepEqual(rows, [
      { name: 'a"b', bytes: Buffer.from('\\x"'), token: 1n },
      { name: 'c\\d', bytes: Buffer.from([0, 1]), token: -2n },
    ]);
  });

  contractTest('a single statement is committed by itself', async ({ database, own }) => {
    await database.query('writer', 'insert into note (name) values ($1)', [own]);
    assert.deepEqual(await notes(database, own), [own]);
  });

  contractTest('a value that cannot be sent is refused, and harms nothing that follows', async ({ database, own }) => {
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    const insert = (value: unknown) => database.query('writer', 'insert into note (name) values ($1)', [value]);
    await assert.rejects(insert(circular), databaseError({ code: 'internal' }));
    await insert(own);
    assert.deepEqual(await notes(database, own), [own]);
  });

  contractTest('more different statements than a connection keeps prepared', async ({ database }) => {
    for (let index = 0; index < 1000; index++) {
      const [row] = await database.query<{ answer: number }>('reader', `select ${index} as answer`);
      assert.equal(row?.answer, index);
    }
    // As an operator would see it: no connection holds more than a bounded number of them.
    const [kept] = await database.query<{ count: bigint }>('reader', 'select count(*) from pg_prepared_statements');
    assert.ok((kept?.count ?? 1000n) < 500n);
  });

  contractTest('how a statement would run can be seen, as the role that runs it', async ({ database }) => {
    const text = 'select id from permitted_note where name = $1';
    const plan = await explain(database, 'reader', { 'medseal.owner': 'x', enable_seqscan: 'off' }, text, ['y']);
    const indexes = planNodes(plan).map((node) => node['Index Name']);
    assert.ok(indexes.includes('note_name_is_unique') || indexes.includes('note_by_owner'), JSON.stringify(plan));
  });

  contractTest('status tells that both databases answer, and whether commits are durable', async ({ database }) => {
    const status = await database.status();
    assert.equal(status.reachable, true);
    assert.equal(status.durable, true);
    assert.match(status.version ?? '', /^\d+\.\d+/);
  });
}
