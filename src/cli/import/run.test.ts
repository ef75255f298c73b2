import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../../../conformance/support/temporary-directory.ts';
import { MedSealError } from '../../errors.ts';
import { openJournal } from './journal.ts';
import type { Answer } from './outcome.ts';
import type { ImportRequest } from './request.ts';
import { runImport } from './run.ts';
import { createTally } from './tally.ts';

interface Sent {
  readonly request: ImportRequest;
  readonly key: string;
  /** Resources by name, as `Type/id>Type/id` where one refers to another. */
  readonly names: readonly string[];
}

const BASE = 'http://example.org/fhir';
const OK: Answer = { status: 201, modified: true, body: '' };
const refusal = (code: string, status = 400): Answer => ({
  status,
  modified: false,
  body: JSON.stringify({ issue: [{ severity: 'error', details: { coding: [{ code }] } }] }),
});

interface Text {
  resourceType: string;
  id?: string;
  needs?: string;
  entry?: { resource: Text }[];
}

const named = ({ resourceType, id }: Text) => `${resourceType}/${id}`;
const resource = (name: string, needs?: string) => {
  const [resourceType, id] = name.split('/');
  return { resourceType, id, ...(needs === undefined ? {} : { needs }) };
};
const batch = (...resources: readonly object[]) => ({
  resourceType: 'Bundle',
  type: 'batch',
  entry: resources.map((one) => ({ resource: one, request: { method: 'PUT', url: 'x' } })),
});

/** Runs an import of these lines against a server that knows missing references. */
async function run(
  lines: readonly (object | string)[],
  options: {
    directory?: string;
    concurrency?: number;
    stopAfter?: number;
    answer?: (text: Text, have: ReadonlySet<string>) => Answer | undefined;
  } = {},
) {
  const directory = options.directory ?? (await temporaryDirectory());
  const path = join(directory, 'input.ndjson');
  await writeFile(path, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'));
  const journal = await openJournal(join(directory, 'journal'), BASE, false);
  const tally = createTally();
  const have = new Set<string>();
  const sent: Sent[] = [];
  const rounds: (readonly [number, number])[] = [];
  const stopping = new AbortController();
  let inFlight = 0;
  let most = 0;

  const take = (text: Text): Answer => {
    const special = options.answer?.(text, have);
    if (special !== undefined) return special;
    if (text.needs !== undefined && !have.has(text.needs)) return refusal('unresolved-reference');
    have.add(named(text));
    return OK;
  };
  const sender = {
    async send(request: ImportRequest, key: string): Promise<Answer> {
      most = Math.max(most, ++inFlight);
      await new Promise((resolve) => setImmediate(resolve));
      inFlight -= 1;
      const text = JSON.parse(String(request.body)) as Text;
      const entries = text.entry?.map((entry) => entry.resource) ?? [text];
      sent.push({ request, key, names: entries.map(named) });
      if (sent.length === options.stopAfter) stopping.abort();
      if (request.kind === 'single') return take(text);
      const responses = entries.map(take).map(({ status, body }) => ({
        response: {
          status: String(status),
          lastModified: 'now',
          ...(status < 300 ? {} : { outcome: JSON.parse(body) }),
        },
      }));
      return { status: 200, modified: false, body: JSON.stringify({ entry: responses }) };
    },
  };
  const result = await runImport({
    sources: [{ path, size: undefined }],
    sender,
    journal,
    tally,
    concurrency: options.concurrency ?? 1,
    stopping: stopping.signal,
    onRead: () => undefined,
    onRound: (round, waiting) => rounds.push([round, waiting]),
  }).finally(() => journal.close());
  const journalText = readFileSync(join(directory, 'journal'), 'utf8');
  return { result, tally, sent, rounds, most, directory, journalText };
}

const results = ({ tally }: { tally: ReturnType<typeof createTally> }) =>
  [...tally.byType].map(([type, { created, failed }]) => `${type} ${created}/${failed}`);

test('what waits for a reference is sent again after the rest, for as long as that helps', async () => {
  const chain = [resource('C/3', 'B/2'), resource('B/2', 'A/1'), resource('D/4', 'Z/9'), resource('A/1')];
  const outcome = await run(chain);
  assert.deepEqual(outcome.rounds, [
    [2, 3],
    [3, 2],
    [4, 1],
  ]);
  assert.deepEqual(results(outcome), ['A 1/0', 'B 1/0', 'C 1/0', 'D 0/1']);
  assert.equal(outcome.tally.items, 4);
  assert.deepEqual(outcome.tally.byProblem, [
    { code: 'unresolved-reference', element: '', count: 1, first: `${outcome.directory}/input.ndjson#3` },
  ]);
  // The same request with the same key, each time.
  const keys = outcome.sent.filter(({ names }) => names[0] === 'C/3').map(({ key }) => key);
  assert.ok(keys.length >= 2);
  assert.equal(new Set(keys).size, 1);
});

test('a second run sends only what was not acknowledged', async () => {
  let broken = true;
  const answer = (text: Text) => (broken && text.id === '2' ? refusal('invalid-resource', 422) : undefined);
  const lines = [resource('A/1'), resource('A/2'), resource('A/3')];
  const first = await run(lines, { answer });
  assert.deepEqual(results(first), ['A 2/1']);
  broken = false;
  const second = await run(lines, { answer, directory: first.directory });
  assert.deepEqual(
    second.sent.flatMap(({ names }) => names),
    ['A/2'],
  );
  assert.equal(second.result.skipped, 2);
  assert.equal(second.tally.failed, 0);
  const third = await run(lines, { answer, directory: first.directory });
  assert.deepEqual([third.sent.length, third.result.skipped], [0, 3]);
});

test('of a batch only what failed is sent again: in this run what may pass, in the next one all of it', async () => {
  let broken = true;
  const answer = (text: Text) => (broken && text.id === 'bad' ? refusal('invalid-resource', 422) : undefined);
  const lines = [batch(resource('A/1'), resource('B/2', 'C/3'), resource('A/bad')), resource('C/3')];
  const first = await run(lines, { answer });
  assert.deepEqual(
    first.sent.map(({ names }) => names),
    [['A/1', 'B/2', 'A/bad'], ['C/3'], ['B/2']],
  );
  assert.deepEqual(results(first), ['A 1/1', 'C 1/0', 'B 1/0']);
  assert.equal(new Set(first.sent.map(({ key }) => key)).size, 3);
  broken = false;
  const second = await run(lines, { answer, directory: first.directory });
  assert.deepEqual(
    second.sent.map(({ names }) => names),
    [['A/bad']],
  );
  const third = await run(lines, { answer, directory: first.directory });
  assert.equal(third.sent.length, 0);
});

test('what cannot be read or sent is counted, and the rest goes on', async () => {
  const outcome = await run(['{"secret', { resourceType: 'Bundle', type: 'history' }, resource('A/1')]);
  assert.deepEqual(results(outcome), ['unreadable 0/2', 'A 1/0']);
  assert.deepEqual(
    outcome.tally.byProblem.map(({ code, element }) => [code, element]),
    [
      ['malformed-json', ''],
      ['invalid-bundle', 'Bundle.type'],
    ],
  );
  assert.ok(!outcome.journalText.includes('secret'));
});

test('keeps as many in flight as it may, and no more', async () => {
  const lines = Array.from({ length: 40 }, (_, index) => resource(`A/${index}`));
  for (const concurrency of [1, 4, 8]) {
    const { most, tally } = await run(lines, { concurrency });
    assert.deepEqual([most, tally.resources], [concurrency, 40]);
  }
});

test('stops after what is in flight, and another run brings in the rest', async () => {
  const lines = [resource('B/0', 'A/19'), ...Array.from({ length: 20 }, (_, index) => resource(`A/${index}`))];
  const stopped = await run(lines, { stopAfter: 5 });
  assert.equal(stopped.sent.length, 5);
  assert.equal(stopped.result.waiting, 1);
  assert.equal(stopped.tally.failed, 0);
  const resumed = await run(lines, { directory: stopped.directory });
  assert.equal(resumed.result.skipped, 4);
  assert.deepEqual(results(resumed), ['A 16/0', 'B 1/0']);
});

test('an import that cannot go on ends, with what was acknowledged in the journal', async () => {
  const directory = await temporaryDirectory();
  const answer = (text: Text) => {
    if (text.id === '2') throw new MedSealError('token-invalid', 'no more');
    return undefined;
  };
  const lines = [resource('A/1'), resource('A/2'), resource('A/3')];
  await assert.rejects(run(lines, { directory, answer }), { code: 'token-invalid' });
  const { result, sent } = await run(lines, { directory });
  assert.deepEqual([result.skipped, sent.length], [1, 2]);
});
