import assert from 'node:assert/strict';
import { test } from 'node:test';
import { barLine, startProgress } from './progress.ts';
import { summaryText } from './summary.ts';
import { createTally } from './tally.ts';

test('the bar fills up, and never breaks the line', () => {
  const facts = '12 items, 6,326 resources';
  assert.equal(barLine(0, facts, 80), `│${' '.repeat(24)}│   0 %  ${facts}`);
  assert.equal(barLine(0.5, facts, 80), `│${'█'.repeat(12)}${' '.repeat(12)}│  50 %  ${facts}`);
  assert.equal(barLine(1, facts, 80), `│${'█'.repeat(24)}│ 100 %  ${facts}`);
  assert.equal(barLine(undefined, facts, 80), facts);
  for (let columns = 1; columns < 60; columns++) {
    for (const part of [0, 0.013, 0.333, 0.999, 1]) assert.ok(barLine(part, facts, columns).length <= columns);
  }
});

test('where nobody looks, notes are plain lines', () => {
  const written: string[] = [];
  const output = { write: (text: string) => written.push(text) > 0, isTTY: false, columns: 80 };
  const progress = startProgress({ sources: [], tally: createTally(), output, now: () => 0 });
  progress.note('round 2');
  progress.stop();
  assert.deepEqual(written, ['round 2\n']);
});

test('the summary counts by type and by problem', () => {
  const tally = createTally();
  const shared = [{ code: 'invalid-resource', element: 'Patient.name' }];
  tally.add('a#1', [
    { type: 'Patient', index: 0, result: 'created', problems: [] },
    { type: 'Encounter', index: 1, result: 'unchanged', problems: [] },
  ]);
  // A transaction that failed for one thing: each entry failed, the thing counts once.
  tally.add('a#2', [
    { type: 'Patient', index: 0, result: 'failed', problems: shared },
    { type: 'Patient', index: 1, result: 'failed', problems: shared },
  ]);
  tally.end();
  const text = summaryText(tally, { base: 'http://x/fhir', seconds: 2, skipped: 3, waiting: 0, journal: 'j' });
  assert.equal(
    text,
    [
      '1 items, 4 resources into http://x/fhir',
      'in 2.0 s (2/s)',
      '3 items were acknowledged before and not sent again (--restart sends all)',
      '',
      '  type       created  unchanged  failed',
      '  Encounter        0          1       0',
      '  Patient          1          0       2',
      '  total            1          1       2',
      '',
      '  count  error             element       first in',
      '  1      invalid-resource  Patient.name  a#2',
      '',
      'Journal: j',
      '',
    ].join('\n'),
  );
});
