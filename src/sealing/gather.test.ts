import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { gather } from './gather.ts';

test('what is asked in one turn of the event loop is asked together', async () => {
  const asked: (readonly number[])[] = [];
  const double = gather(async (numbers: readonly number[]) => {
    asked.push(numbers);
    return (number) => 2 * number;
  });
  const first = [double(1), double(2)];
  await turn();
  const second = double(3);
  assert.deepEqual(await Promise.all([...first, second]), [2, 4, 6]);
  assert.deepEqual(asked, [[1, 2], [3]]);
});

test('those that were asked together fail together, and the next is asked anew', async () => {
  let fails = true;
  const ask = gather(async (_: readonly string[]) => {
    if (fails) throw new Error('no answer');
    return (question) => question.length;
  });
  const outcomes = await Promise.allSettled([ask('a'), ask('b')]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  fails = false;
  assert.equal(await ask('abc'), 3);
});
