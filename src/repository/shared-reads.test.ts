import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PermittedRow, PrincipalSettings } from './permitted.ts';
import { createSharedReads } from './shared-reads.ts';

const principal = (instant: number, facets: readonly string[] = []): PrincipalSettings => ({
  readers: [],
  facets,
  self: [],
  compartment: undefined,
  types: '*',
  institution: undefined,
  custodian: undefined,
  instant,
  emergency: false,
  grants: [],
});

interface Call {
  readonly principal: PrincipalSettings;
  readonly idTokens: readonly string[];
  answer(found: readonly string[]): void;
  fail(error: Error): void;
}

/** Statements wait until the test answers them. */
function shared() {
  const calls: Call[] = [];
  const reads = createSharedReads((asked, idTokens) => {
    const { promise, resolve, reject } = Promise.withResolvers<readonly PermittedRow[]>();
    const answer = (found: readonly string[]) => resolve(found.map((idToken) => ({ idToken }) as PermittedRow));
    calls.push({ principal: asked, idTokens, answer, fail: reject });
    return promise;
  });
  return { reads, calls };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

function at(calls: readonly Call[], index: number): Call {
  const call = calls[index];
  assert.ok(call, `there is no statement ${index}`);
  return call;
}

test('what arrives together, and what arrives meanwhile, goes together, at the youngest instant', async () => {
  const { reads, calls } = shared();
  const first = [reads.load(principal(5), 'a'), reads.load(principal(6), 'b'), reads.load(principal(6), 'a')];
  await turn();
  const later = [reads.load(principal(7), 'c'), reads.load(principal(9), 'd')];
  await turn();
  assert.equal(calls.length, 1);
  assert.deepEqual(at(calls, 0).idTokens, ['a', 'b']);
  assert.equal(at(calls, 0).principal.instant, 6);
  at(calls, 0).answer(['a']);
  const rows = await Promise.all(first);
  assert.deepEqual(
    rows.map(({ row, instant }) => [row?.idToken, instant]),
    [
      ['a', 6],
      [undefined, 6],
      ['a', 6],
    ],
  );
  await turn();
  assert.deepEqual(at(calls, 1).idTokens, ['c', 'd']);
  assert.equal(at(calls, 1).principal.instant, 9);
  at(calls, 1).answer([]);
  await Promise.all(later);
  const afterwards = reads.load(principal(10), 'e');
  await turn();
  at(calls, 2).answer(['e']);
  assert.equal((await afterwards).row?.idToken, 'e');
});

test('principals never share', async () => {
  const { reads, calls } = shared();
  const both = [reads.load(principal(5, ['1']), 'a'), reads.load(principal(5, ['2']), 'a')];
  await turn();
  assert.deepEqual(
    calls.map(({ principal: { facets } }) => facets),
    [['1'], ['2']],
  );
  at(calls, 0).answer(['a']);
  at(calls, 1).answer([]);
  assert.deepEqual(
    (await Promise.all(both)).map(({ row }) => row?.idToken),
    ['a', undefined],
  );
});

test('a statement holds a bounded number of rows, and one that fails fails only its own', async () => {
  const { reads, calls } = shared();
  const loads = Array.from({ length: 40 }, (_, n) => reads.load(principal(1), String(n)));
  const outcomes = Promise.allSettled(loads);
  await turn();
  assert.equal(at(calls, 0).idTokens.length, 32);
  at(calls, 0).fail(new Error('away'));
  await turn();
  assert.equal(at(calls, 1).idTokens.length, 8);
  at(calls, 1).answer([]);
  const failed = (await outcomes).filter(({ status }) => status === 'rejected');
  assert.equal(failed.length, 32);
});
