import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { DatabaseError, violatesUnique } from '../../src/storage/database/database-error.ts';
import type { Database, Sql } from '../../src/storage/database/port.ts';
import { until } from '../support/until.ts';
import { type ContractTest, cutConnections, type DatabaseUnderTest, databaseError, notes } from './database-harness.ts';

const INSERT = 'insert into note (name) values ($1)';

export function testFailures(contractTest: ContractTest): void {
  contractTest('a unique violation is recognised by its constraint', async ({ database, own }) => {
    await database.query('writer', INSERT, [own]);
    const error = await failure(database.query('writer', INSERT, [own]));
    assert.ok(violatesUnique(error, 'note_name_is_unique'));
    assert.ok(!violatesUnique(error, 'another'));
    assert.ok(!violatesUnique(new Error(), 'note_name_is_unique'));
  });

  contractTest('no error says a value, to a client or to the log', async ({ database }) => {
    const secret = 'CANARY';
    const failing = [
      [INSERT, [secret]],
      ['select $1::int8', [secret]],
      ['select $1::timestamptz', [secret]],
      ['select $1::jsonb', [`{${secret}`]],
      ['update note set name = null where name = $1', [secret]],
      ['select ($1::text)::integer', [secret]],
      ['select 1 / (length($1) - 6)', [secret]],
    ] as const;
    await database.query('writer', INSERT, [secret]);
    for (const [text, values] of failing) {
      const error = await failure(database.query('writer', text, values));
      assert.ok(error instanceof DatabaseError);
      assert.ok(!inspect(error, { depth: null, showHidden: true }).includes(secret), text);
    }
  });

  contractTest('a statement that takes too long is cancelled', async ({ database }) => {
    const options = { settings: { statement_timeout: '50' } };
    const work = (sql: Sql) => sql.query('select pg_sleep(30)');
    const timedOut = databaseError({ code: 'timed-out', sqlState: '57014', outcomeUnknown: false });
    await assert.rejects(database.transaction('reader', work, options), timedOut);
    await assert.rejects(database.transaction('reader', work, { ...options, pipelined: true }), timedOut);
  });

  contractTest('a deadlock ends one of the two, which may try again', async ({ database, own }) => {
    await database.query('writer', 'insert into note (name) values ($1), ($2)', [`${own}1`, `${own}2`]);
    let reached = 0;
    const update = (first: string, second: string) =>
      database.transaction('writer', async (sql) => {
        await sql.query('update note set counter = counter + 1 where name = $1', [own + first]);
        reached++;
        await until('both hold one', () => reached === 2);
        await sql.query('update note set counter = counter + 1 where name = $1', [own + second]);
      });
    const outcomes = await Promise.allSettled([update('1', '2'), update('2', '1')]);
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
    assert.equal(failed.length, 1);
    assert.ok(databaseError({ code: 'version-conflict', retriable: true })(failed[0]?.reason));
  });

  contractTest('a serialization failure may be tried again', async ({ database, own }) => {
    await database.query('writer', INSERT, [own]);
    const work = async (sql: Sql) => {
      await sql.query('select counter from note where name = $1', [own]);
      await database.query('writer', 'update note set counter = 9 where name = $1', [own]);
      await sql.query('update note set counter = 1 where name = $1', [own]);
    };
    await assert.rejects(
      database.transaction('writer', work, { isolation: 'repeatable read' }),
      databaseError({ code: 'version-conflict', sqlState: '40001', retriable: true }),
    );
  });

  contractTest('codes of the server become ours', async ({ database }) => {
    const expected = {
      53100: 'storage-full',
      53200: 'storage-unavailable',
      53300: 'storage-unavailable',
      57014: 'timed-out',
      '55P03': 'timed-out',
      40001: 'version-conflict',
      '40P01': 'version-conflict',
      58030: 'storage-unavailable',
      '08006': 'storage-unavailable',
      XX001: 'internal',
      42601: 'internal',
    } as const;
    for (const [sqlState, code] of Object.entries(expected)) {
      const raise = `do $$ begin raise exception 'drill' using errcode = '${sqlState}'; end $$`;
      await assert.rejects(database.query('writer', raise), databaseError({ sqlState, code }));
    }
  });

  contractTest('a connection lost before COMMIT: nothing happened', async (under) => {
    const { database, own } = under;
    const work = async (sql: Sql) => {
      await sql.query(INSERT, [own]);
      await sql.query(`select pg_sleep(60) /* ${own} */`);
    };
    const lost = failure(database.transaction('writer', work));
    await cut(under);
    assert.ok(databaseError({ code: 'storage-unavailable', outcomeUnknown: false })(await lost));
    assert.deepEqual(await notes(database, own), []);
  });

  contractTest('a connection lost between two statements: nothing happened', async (under) => {
    const { database, own } = under;
    const work = async (sql: Sql) => {
      await sql.query(`${INSERT} /* ${own} */`, [own]);
      await cut(under);
      await sql.query('select 1');
    };
    await assert.rejects(
      database.transaction('writer', work),
      databaseError({ code: 'storage-unavailable', outcomeUnknown: false }),
    );
    assert.deepEqual(await notes(database, own), []);
  });

  contractTest('a connection lost during COMMIT: the outcome is unknown', async (under) => {
    const { database, own } = under;
    const work = async (sql: Sql) => {
      // The constraint trigger waits at COMMIT, which tells the server no more of us than our name.
      await sql.query("select set_config('application_name', $1, false)", [own]);
      await sql.query('insert into note (name, slow_commit) values ($1, true)', [own]);
    };
    const lost = failure(database.transaction('writer', work));
    await cut(under, `${own} commit`);
    assert.ok(databaseError({ code: 'storage-unavailable', outcomeUnknown: true })(await lost));
    assert.deepEqual(await notes(database, own), []);
  });

  contractTest('a connection lost under a single or a pipelined statement: the outcome is unknown', async (under) => {
    const { database, own } = under;
    const wait = `select pg_sleep(60) /* ${own} */`;
    const unknown = databaseError({ code: 'storage-unavailable', outcomeUnknown: true });
    const single = failure(database.query('writer', wait));
    await cut(under);
    assert.ok(unknown(await single));
    const pipelined = failure(database.transaction('writer', (sql) => sql.query(wait), { pipelined: true }));
    await cut(under);
    assert.ok(unknown(await pipelined));
  });

  contractTest('when all connections are lost, the next statements have new ones', async (under) => {
    const { database, harness } = under;
    const sleeping = Array.from({ length: 4 }, () => failure(database.query('reader', 'select pg_sleep(60)')));
    await until('all sleep', async () => (await cutConnections(harness, 'pg_sleep(60)')) > 0);
    await until('all are cut', async () => (await cutConnections(harness, 'pg_sleep(60)')) === 0);
    await Promise.all(sleeping);
    await working(database);
  });
}

async function working(database: Database): Promise<void> {
  const answers = await Promise.all(Array.from({ length: 20 }, () => database.query('reader', 'select 1 as one')));
  for (const answer of answers) assert.deepEqual(answer, [{ one: 1 }]);
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail('it should have failed');
}

function cut({ harness, own }: DatabaseUnderTest, words = own): Promise<void> {
  return until('the statement runs', async () => (await cutConnections(harness, words)) > 0);
}
