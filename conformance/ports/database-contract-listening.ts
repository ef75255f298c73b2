import assert from 'node:assert/strict';
import { until } from '../support/until.ts';
import { asSuperuser, type ContractTest } from './database-harness.ts';

export function testListening(contractTest: ContractTest): void {
  contractTest('notifications arrive when their transaction commits, in order, until one stops', async (under) => {
    const { database, own } = under;
    const heard: string[] = [];
    const other: string[] = [];
    const stop = await database.listen(own, (payload) => heard.push(payload));
    const stopOther = await database.listen(`${own}_other`, (payload) => other.push(payload));
    const notify = (payload: string) => database.query('writer', 'select pg_notify($1, $2)', [own, payload]);
    await notify('one');
    await assert.rejects(
      database.transaction('writer', async (sql) => {
        await sql.query('select pg_notify($1, $2)', [own, 'rolled back']);
        throw new Error('no');
      }),
    );
    await notify("two 'quoted'");
    await until('both arrive', () => heard.length === 2);
    assert.deepEqual(heard, ['one', "two 'quoted'"]);
    await stop();
    await notify('three');
    await database.query('writer', 'select pg_notify($1, $2)', [`${own}_other`, 'last']);
    await until('the last arrives', () => other.length === 1);
    assert.equal(heard.length, 2);
    await stopOther();
  });

  contractTest('after its connection was lost a listener is told, and goes on', async ({ database, harness, own }) => {
    const heard: string[] = [];
    const stop = await database.listen(own, (payload) => heard.push(payload));
    await asSuperuser(harness, (client) =>
      client.query("select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen%'"),
    );
    await until('it says that something may have been missed', () => heard.includes(''));
    await database.query('writer', 'select pg_notify($1, $2)', [own, 'again']);
    await until('it hears again', () => heard.includes('again'));
    await stop();
  });

  contractTest('a channel has a plain name', async ({ database }) => {
    await assert.rejects(
      database.listen('x; drop table note', () => undefined),
      /unusual name/,
    );
  });
}
