import assert from 'node:assert/strict';
import type { Sql } from '../../src/storage/database/port.ts';
import { type ContractTest, databaseError, notes } from './database-harness.ts';

const INSERT = 'insert into note (name) values ($1)';
const READ_OWN = 'select name from permitted_note order by name';

export function testTransactions(contractTest: ContractTest): void {
  contractTest('a transaction is committed when its work is done', async ({ database, own }) => {
    const result = await database.transaction('writer', async (sql) => {
      await Promise.all([sql.query(INSERT, [`${own}1`]), sql.query(INSERT, [`${own}2`])]);
      assert.deepEqual(await notes(database, own), [], 'nobody else sees it yet');
      return 'done';
    });
    assert.equal(result, 'done');
    assert.deepEqual(await notes(database, own), [`${own}1`, `${own}2`]);
  });

  contractTest('a transaction whose work throws is rolled back', async ({ database, own }) => {
    const refused = new Error('refused');
    const work = async (sql: Sql) => {
      await sql.query(INSERT, [own]);
      throw refused;
    };
    await assert.rejects(database.transaction('writer', work), refused);
    const atOnce = () => {
      throw refused;
    };
    await assert.rejects(database.transaction('writer', atOnce), refused);
    assert.deepEqual(await notes(database, own), []);
  });

  contractTest('a statement that failed rolls back, even if its error was caught', async ({ database, own }) => {
    const work = async (sql: Sql) => {
      await sql.query(INSERT, [own]);
      await sql.query(INSERT, [own]).catch(() => undefined);
      return 'as if nothing had happened';
    };
    await assert.rejects(database.transaction('writer', work), databaseError({ sqlState: '23505' }));
    assert.deepEqual(await notes(database, own), []);
  });

  contractTest('statements issued together: the first error is the one reported', async ({ database, own }) => {
    const work = async (sql: Sql) => {
      const first = sql.query(INSERT, [own]);
      const second = sql.query(INSERT, [own]);
      const third = sql.query(INSERT, [`${own}3`]);
      // The third fails too, as the transaction is over, and nobody waits for it.
      await Promise.all([first, second]);
      await third;
    };
    await assert.rejects(database.transaction('writer', work), databaseError({ sqlState: '23505' }));
    assert.deepEqual(await notes(database, own), []);
  });

  contractTest('a failed statement that nobody waits for prevents the commit', async ({ database, own }) => {
    const work = async (sql: Sql) => {
      sql.query(INSERT, [own]);
      sql.query(INSERT, [own]);
    };
    await assert.rejects(database.transaction('writer', work), databaseError({ sqlState: '23505' }));
    assert.deepEqual(await notes(database, own), []);
  });

  contractTest('no statement goes out after the end of its transaction', async ({ database, own }) => {
    const kept: Sql[] = [];
    await database.transaction('writer', async (sql) => {
      kept.push(sql);
    });
    await assert.rejects(async () => kept[0]?.query(INSERT, [own]), /after its transaction/);
    assert.deepEqual(await notes(database, own), []);
  });

  contractTest('settings last for the transaction, and then read back as empty', async ({ database, own }) => {
    const names = ['a', 'b', "it's"];
    await database.query('writer', 'insert into note (name, owner) select $1 || n, $1 from unnest($2::text[]) n', [
      own,
      names,
    ]);
    const read = (settings: Record<string, string>, pipelined: boolean) =>
      database.transaction('reader', (sql) => sql.query<{ name: string }>(READ_OWN), { settings, pipelined });
    for (const pipelined of [true, false]) {
      const permitted = await read({ 'medseal.owner': own, 'medseal.other': '' }, pipelined);
      assert.deepEqual(
        permitted.map(({ name }) => name),
        names.map((name) => own + name),
      );
      assert.deepEqual(await read({}, pipelined), []);
      assert.deepEqual(await read({ 'medseal.owner': '' }, pipelined), []);
    }
    assert.deepEqual(await database.query('reader', READ_OWN), []);
  });

  contractTest('settings of one transaction are never seen by another', async ({ database, own }) => {
    await database.query(
      'writer',
      'insert into note (name, owner) select $1 || n, $1 || n from generate_series(1, 50) n',
      [own],
    );
    const reads = Array.from({ length: 400 }, async (_, index) => {
      const owner = `${own}${1 + (index % 50)}`;
      const settings = index % 3 === 0 ? {} : { 'medseal.owner': owner };
      const rows = await database.transaction('reader', (sql) => sql.query(READ_OWN), {
        settings,
        pipelined: index % 2 === 0,
      });
      assert.deepEqual(rows, index % 3 === 0 ? [] : [{ name: owner }]);
    });
    await Promise.all(reads);
  });

  contractTest('pipelined: several statements, one snapshot of settings, one result', async ({ database, own }) => {
    const work = async (sql: Sql) => {
      const rows = await Promise.all([sql.query(INSERT, [`${own}1`]), sql.query('select 7 as seven')]);
      return rows[1];
    };
    assert.deepEqual(await database.transaction('writer', work, { pipelined: true }), [{ seven: 7 }]);
    assert.deepEqual(await notes(database, own), [`${own}1`]);
  });

  contractTest('pipelined: a statement that fails rolls back', async ({ database, own }) => {
    const work = (sql: Sql) => Promise.all([sql.query(INSERT, [own]), sql.query(INSERT, [own])]);
    await assert.rejects(
      database.transaction('writer', work, { pipelined: true }),
      databaseError({ sqlState: '23505', outcomeUnknown: false }),
    );
    assert.deepEqual(await notes(database, own), []);
  });

  contractTest('pipelined: a statement behind the first await is refused', async ({ database, own }) => {
    const work = async (sql: Sql) => {
      await sql.query('select 1');
      await sql.query(INSERT, [own]);
    };
    await assert.rejects(database.transaction('writer', work, { pipelined: true }), /after its transaction/);
    assert.deepEqual(await notes(database, own), []);
  });

  contractTest('repeatable read sees one state; read only refuses to write', async ({ database, own }) => {
    await database.transaction(
      'writer',
      async (sql) => {
        const count = async () => (await sql.query('select from note where starts_with(name, $1)', [own])).length;
        assert.equal(await count(), 0);
        await database.query('writer', INSERT, [own]);
        assert.equal(await count(), 0);
      },
      { isolation: 'repeatable read', readOnly: true },
    );
    assert.deepEqual(await notes(database, own), [own]);
    const write = (sql: Sql) => sql.query(INSERT, [`${own}2`]);
    await assert.rejects(
      database.transaction('writer', write, { readOnly: true }),
      databaseError({ sqlState: '25006' }),
    );
  });

  contractTest('many more transactions at once than connections', async ({ database, own }) => {
    await database.query('writer', 'insert into note (name) values ($1)', [own]);
    const increments = Array.from({ length: 100 }, () =>
      database.transaction('writer', async (sql) => {
        await sql.query('update note set counter = counter + 1 where name = $1', [own]);
      }),
    );
    await Promise.all(increments);
    const [row] = await database.query('writer', 'select counter from note where name = $1', [own]);
    assert.deepEqual(row, { counter: 100 });
  });
}
