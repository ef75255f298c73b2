import assert from 'node:assert/strict';
import { type ContractTest, databaseError } from './database-harness.ts';

export function testClosing(contractTest: ContractTest): void {
  contractTest('close lets short statements end, cuts long ones off, and refuses new ones', async ({ database }) => {
    const short = database.query('writer', 'select 1 as done from pg_sleep(0.2)');
    const long = database.query('reader', 'select pg_sleep(600)');
    const cut = assert.rejects(long, databaseError({ code: 'storage-unavailable' }));
    await database.listen('still_open', () => undefined);
    await Promise.all([database.close(), database.close()]);
    assert.deepEqual(await short, [{ done: 1 }]);
    await cut;
    const unavailable = databaseError({ code: 'storage-unavailable' });
    await assert.rejects(database.query('reader', 'select 1'), unavailable);
    await assert.rejects(
      database.transaction('writer', (sql) => sql.query('select 1')),
      unavailable,
    );
    assert.deepEqual(await database.status(), { reachable: false });
  });
}
