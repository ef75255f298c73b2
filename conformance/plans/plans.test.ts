/**
 * Every statement that a node really sends while it does all that it does: whatever its parameters are, none reads a
 * table that grows from end to end, but for those that are meant to (whole-reads.ts).
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { MIGRATIONS } from '../../src/storage/database/open.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { createDatabasePair } from '../support/test-database.ts';
import { startTestNode } from '../support/test-node.ts';
import { doMainJob } from './main-job.ts';
import { genericPlan, planner, readStatements, type Statement, wholeReads } from './statements.ts';
import { SMALL_TABLES, WHOLE_READS } from './whole-reads.ts';

suite('plans', () => {
  test('no statement of a running node reads all of a growing table', async (t) => {
    const file = join(await temporaryDirectory(), 'statements.jsonl');
    const flags = ['--import', new URL('recorder.ts', import.meta.url).href];
    const node = await startTestNode(t, { flags, env: { TEST_STATEMENTS: file } });
    await doMainJob(node);
    await node.stop();
    const statements = readStatements(file);
    assert.ok(statements.length > 60, `${statements.length} statements`);
    // Not the node's own: what PostgreSQL happens to know of its tables by now would change plans from run to run.
    const empty = await createDatabasePair(MIGRATIONS);
    t.after(() => empty.drop());
    const [records, keys] = [await planner(empty.recordsUrl), await planner(empty.keysUrl)];
    const found: string[] = [];
    try {
      for (const statement of statements) {
        const plan = await genericPlan(statement.user === 'medseal_keys' ? keys : records, statement.text);
        for (const table of wholeReads(plan)) {
          const meant = WHOLE_READS.some((one) => one.table === table && one.statement.test(statement.text));
          if (!meant && !SMALL_TABLES.has(table)) found.push(tell(statement, table));
        }
      }
    } finally {
      await records.end();
      await keys.end();
    }
    t.diagnostic(`${statements.length} statements`);
    assert.equal(found.length, 0, `\n${found.join('\n\n')}`);
    const stale = WHOLE_READS.filter((one) => !statements.some(({ text }) => one.statement.test(text)));
    assert.deepEqual(stale, [], 'allowed, and sent no more');
  });
});

function tell({ text, user }: Statement, table: string): string {
  return `${user} reads all of ${table}:\n${text}`;
}
