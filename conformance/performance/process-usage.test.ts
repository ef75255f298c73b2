import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseStat, peakMemory, usageOf } from './process-usage.ts';

const skip = process.platform === 'linux' ? false : 'only Linux has /proc';

test('time is read past a name of any form', () => {
  const stat = '42 (a ) b) S 1 42 42 0 -1 4194304 100 0 0 0 150 50 30 20 20 0 11 0';
  assert.deepEqual(parseStat(stat, 10_000), { own: 2_000_000, ended: 500_000 });
});

test('this process has taken some time and some memory', { skip }, () => {
  const usage = usageOf(process.pid, process.pid);
  assert.ok(usage.server > 0 && usage.postgres >= usage.server && usage.client > 0, JSON.stringify(usage));
  assert.ok(peakMemory(process.pid) > 10_000_000);
});
