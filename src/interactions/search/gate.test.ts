import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createGate } from './gate.ts';

const LONG = 60_000;

suite('a gate', () => {
  test('lets so many through, and the others in their order', async () => {
    const gate = createGate(2);
    const order: string[] = [];
    const first = await gate.enter(LONG);
    const second = await gate.enter(LONG);
    const third = gate.enter(LONG).then((leave) => {
      order.push('third');
      return leave;
    });
    const fourth = gate.enter(LONG).then((leave) => {
      order.push('fourth');
      return leave;
    });
    assert.deepEqual([gate.inside, gate.waiting], [2, 2]);
    second?.();
    (await third)?.();
    (await fourth)?.();
    assert.deepEqual(order, ['third', 'fourth']);
    first?.();
    assert.deepEqual([gate.inside, gate.waiting], [0, 0]);
  });

  test('leaving twice is leaving once', async () => {
    const gate = createGate(1);
    const leave = await gate.enter(LONG);
    const waiting = [gate.enter(LONG), gate.enter(LONG)];
    leave?.();
    leave?.();
    await waiting[0];
    assert.deepEqual([gate.inside, gate.waiting], [1, 1]);
    (await waiting[0])?.();
    (await waiting[1])?.();
  });

  test('whoever waits too long does not come in, and holds no place', async () => {
    const gate = createGate(1);
    const leave = await gate.enter(LONG);
    assert.equal(await gate.enter(1), undefined);
    leave?.();
    assert.deepEqual([gate.inside, gate.waiting], [0, 0]);
  });
});
