import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seed } from '../../../conformance/support/seed.ts';
import { createUsedKeys, isKekName, kekName, kekNames } from './keks.ts';

const SUBJECT = '0f8fad5b-d9cb-469f-a165-70867728950e';

test('reads the names of keys out of a kid, and tells which cannot be one', () => {
  assert.deepEqual(kekNames(''), []);
  const names = kekNames(`${SUBJECT}.1,${SUBJECT}.12`);
  assert.deepEqual(
    names.map(({ generation }) => generation),
    [1, 12],
  );
  assert.equal(names.map(kekName).join(','), `${SUBJECT}.1,${SUBJECT}.12`);
  assert.ok(names.every(isKekName));
  for (const kid of ['x.1', SUBJECT, `${SUBJECT}.`, `${SUBJECT}.0`, `${SUBJECT}.1.5`, `${SUBJECT}.99999999999`]) {
    const plausible = kekNames(kid).every(isKekName);
    assert.equal(plausible, kid === `${SUBJECT}.1.5`, kid);
  }
});

test('forgets no key that is used, and takes hardly another for one', (context) => {
  const random = seed(context);
  const name = (generation: number) => {
    const hex = random.bytes(16).toString('hex');
    const subject = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    return { subject, generation };
  };
  const names = Array.from({ length: 5000 }, (_, index) => name(1 + (index % 3)));
  const used = createUsedKeys(names.length);
  for (const one of names) used.add(one);
  assert.ok(names.every(used.has));
  const others = Array.from({ length: 20_000 }, () => name(1));
  assert.ok(others.filter(used.has).length <= 5);
  const generations = names.map(({ subject, generation }) => ({ subject, generation: generation + 3 }));
  assert.ok(generations.filter(used.has).length <= 5);
});
