/**
 * The canary rule (DESIGN §4): unmistakable texts in every field of every resource, the whole system used; then none of
 * them in any store, write-ahead log, temporary file, log, metric, process argument, nor an unkeyed digest of one.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { RESOURCE_TYPES } from '../../src/fhir/definitions/resource-types.ts';
import { clientOf } from '../faults/node-records.ts';
import { untilAnchored } from '../faults/records-database.ts';
import { processes } from '../support/processes.ts';
import { startTestNode } from '../support/test-node.ts';
import { MARKER, NUMBER } from './plant.ts';
import { digestNeedles, findBelow, findIn, textNeedles } from './search.ts';
import { plantEverywhere, useEverything } from './workload.ts';

const TEXTS = textNeedles(MARKER);

suite('canary', () => {
  test('nothing of any record lies anywhere in the clear', async (t) => {
    const node = await startTestNode(t, { database: 'embedded', env: { LOG_LEVEL: 'trace' } });
    const hospital = clientOf(node, 'hospital-a');
    const planted = await plantEverywhere(hospital);
    const absent = RESOURCE_TYPES.filter((type) => !planted.types.has(type));
    // A patient writes Consents, below; Parameters are what operations take, and no record.
    assert.deepEqual(absent, ['Consent', 'Parameters']);
    assert.ok(planted.marks.length > 5000, `${planted.marks.length} texts`);
    await useEverything(node, planted);
    await untilAnchored(node);

    const metrics = Buffer.from(await (await fetch(`${node.url}/metrics`)).text());
    assert.deepEqual(findIn(metrics, 'metrics', TEXTS), []);
    const own = processes().filter(
      ({ command }) => command.includes(node.dataDirectory) || command.includes('postgres'),
    );
    assert.deepEqual(findIn(Buffer.from(JSON.stringify(own)), 'process arguments', TEXTS), []);

    const written = Buffer.from(`${node.output()}${node.log()}`);
    assert.ok(written.length > 10_000, 'the log tells of requests');
    const numbers = textNeedles(String(NUMBER)).filter(({ what }) => /plain|base64|hex/.test(what));
    assert.deepEqual(findIn(written, 'log', [...TEXTS, ...numbers]), []);

    const contents = await Promise.all(
      planted.paths.slice(0, 2).map(async (path) => Buffer.from((await hospital.get(path)).text)),
    );
    const digests = [
      ...planted.marks.slice(0, 6).flatMap((mark) => digestNeedles(mark, mark)),
      ...planted.paths.slice(0, 3).flatMap((path) => digestNeedles(path, path)),
      ...contents.flatMap((content, index) => digestNeedles(content, `content ${index}`)),
    ];
    assert.deepEqual(findBelow(node.dataDirectory, TEXTS).found, []);
    // What was in memory only is on disk now, and the other way round.
    await node.stop();
    const stopped = findBelow(node.dataDirectory, [...TEXTS, ...numbers, ...digests]);
    assert.deepEqual(stopped.found, []);
    assert.ok(stopped.files > 500 && stopped.bytes > 30_000_000, `${stopped.files} files`);
    t.diagnostic(`${planted.marks.length} texts; ${stopped.files} files, ${stopped.bytes >> 20} MB`);
    assert.ok(readFileSync(`${node.dataDirectory}/roots.json`).length > 100, 'it is where everything lies');
  });
});
