import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayPass, outcomesOf } from './outcome.ts';
import type { ImportRequest } from './request.ts';

const SINGLE: ImportRequest = {
  method: 'PUT',
  path: 'Patient/1',
  body: '',
  entries: [{ type: 'Patient', index: 0 }],
  kind: 'single',
};
const TRANSACTION: ImportRequest = {
  method: 'POST',
  path: '',
  body: '',
  entries: [
    { type: 'Patient', index: 0 },
    { type: 'Observation', index: 1 },
  ],
  kind: 'transaction',
};

function outcome(...issues: readonly object[]): string {
  return JSON.stringify({ resourceType: 'OperationOutcome', issue: issues });
}

test('tells created, updated, unchanged and deleted', () => {
  const single = (status: number, modified: boolean) => outcomesOf(SINGLE, { status, modified, body: '' })[0]?.result;
  assert.deepEqual(
    [single(201, true), single(200, true), single(200, false), single(204, false)],
    ['created', 'updated', 'unchanged', 'deleted'],
  );
  const body = JSON.stringify({
    entry: [
      { response: { status: '201 Created', lastModified: '2026' } },
      { response: { status: '200', lastModified: '2026' } },
    ],
  });
  const results = outcomesOf(TRANSACTION, { status: 200, modified: false, body });
  assert.deepEqual(
    results.map(({ result }) => result),
    ['created', 'updated'],
  );
});

test('a transaction that failed failed for each of its entries, by code and element', () => {
  const body = outcome(
    { severity: 'warning', code: 'informational' },
    {
      severity: 'error',
      code: 'invariant',
      details: { coding: [{ code: 'invalid-resource' }] },
      expression: ['Bundle.entry[1].resource.component[3].code'],
      diagnostics: 'secret',
    },
  );
  const outcomes = outcomesOf(TRANSACTION, { status: 422, modified: false, body });
  assert.deepEqual(
    outcomes.map(({ type, result, problems }) => [type, result, problems]),
    ['Patient', 'Observation'].map((type) => [
      type,
      'failed',
      [{ code: 'invalid-resource', element: 'Observation.component.code' }],
    ]),
  );
  assert.ok(!outcomes.some(mayPass));
});

test('entries of a batch fail each for itself, and some may pass later', () => {
  const missing = { severity: 'error', details: { coding: [{ code: 'unresolved-reference' }] } };
  const body = JSON.stringify({
    entry: [
      { response: { status: '201', lastModified: '2026' } },
      { response: { status: '400', outcome: JSON.parse(outcome(missing)) } },
    ],
  });
  const outcomes = outcomesOf({ ...TRANSACTION, kind: 'batch' }, { status: 200, modified: false, body });
  assert.deepEqual(
    outcomes.map(({ result }) => result),
    ['created', 'failed'],
  );
  assert.deepEqual(outcomes.map(mayPass), [false, true]);
});

test('nothing that another server writes is shown unless it has the form of a code or of a path', () => {
  const hostile = {
    severity: 'error',
    code: 'A Name',
    details: { coding: [{ code: 'Jane Doe' }] },
    expression: ["Patient.name.where(family='Doe')"],
  };
  assert.deepEqual(outcomesOf(SINGLE, { status: 400, modified: false, body: outcome(hostile) })[0]?.problems, [
    { code: 'http-400', element: '' },
  ]);
  assert.deepEqual(outcomesOf(SINGLE, { status: 502, modified: false, body: '<html>Jane Doe' })[0]?.problems, [
    { code: 'http-502', element: '' },
  ]);
  const short = outcomesOf(TRANSACTION, {
    status: 200,
    modified: false,
    body: '{"entry":[{"response":{"status":"201"}}]}',
  });
  assert.deepEqual(
    short.map(({ result, problems }) => [result, problems[0]?.code]),
    [
      ['created', undefined],
      ['failed', 'unreadable-answer'],
    ],
  );
});
