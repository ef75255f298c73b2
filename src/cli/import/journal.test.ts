import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../../../conformance/support/temporary-directory.ts';
import { openJournal } from './journal.ts';

const BASE = 'http://127.0.0.1/hospital-a/fhir';

async function newFile(): Promise<string> {
  return join(await temporaryDirectory(), 'imports', 'journal.jsonl');
}

test('what was recorded is known to the next run; what failed is not', async () => {
  const file = await newFile();
  const journal = await openJournal(file, BASE, false);
  await Promise.all([
    journal.record({ path: 'a', position: 1, hash: 'one', outcome: 'acknowledged' }),
    journal.record({ path: 'a', position: 2, hash: 'two', outcome: 'partial', open: [3, 4] }),
    journal.record({ path: 'a', position: 3, hash: 'three', outcome: 'failed', problems: [] }),
  ]);
  assert.equal(journal.known('one'), 'acknowledged');
  await journal.close();
  assert.equal(statSync(file).mode & 0o777, 0o600);

  const next = await openJournal(file, BASE, false);
  assert.equal(next.known('one'), 'acknowledged');
  assert.deepEqual(next.known('two'), new Set([3, 4]));
  assert.equal(next.known('three'), undefined);
  await next.record({ path: 'a', position: 2, hash: 'two', outcome: 'acknowledged' });
  await next.close();

  const last = await openJournal(file, BASE, false);
  assert.equal(last.known('two'), 'acknowledged');
  await last.close();
  const restarted = await openJournal(file, BASE, true);
  assert.equal(restarted.known('one'), undefined);
  await restarted.close();
});

test('a line that was cut short is dropped, and the next one begins in its place', async () => {
  const file = await newFile();
  const journal = await openJournal(file, BASE, false);
  await journal.record({ path: 'a', position: 1, hash: 'one', outcome: 'acknowledged' });
  await journal.close();
  appendFileSync(file, '{"path":"a","position":2,"hash":"two","outc');
  const next = await openJournal(file, BASE, false);
  assert.equal(next.known('one'), 'acknowledged');
  assert.equal(next.known('two'), undefined);
  await next.record({ path: 'a', position: 2, hash: 'two', outcome: 'acknowledged' });
  await next.close();
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  assert.deepEqual(
    lines.slice(1).map((line) => JSON.parse(line).hash),
    ['one', 'two'],
  );
});

test('refuses another base’s journal, and what is none', async () => {
  const file = await newFile();
  await (await openJournal(file, BASE, false)).close();
  await assert.rejects(
    openJournal(file, 'http://elsewhere/fhir', false),
    /import to http:\/\/127\.0\.0\.1\/hospital-a\/fhir/,
  );
  for (const text of ['{"format":"other"}\n', 'no JSON\n']) {
    writeFileSync(file, text);
    await assert.rejects(openJournal(file, BASE, false), { code: 'invalid-configuration' });
  }
});
