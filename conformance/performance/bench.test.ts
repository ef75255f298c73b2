/** `npm run bench` runs through, says what it measured in the shape that docs/performance.md tells, and cleans up. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import type { BenchReport } from './report.ts';

const BENCH = fileURLToPath(new URL('bench.ts', import.meta.url));
const LINUX = process.platform === 'linux' ? false : 'it reads /proc';

/** Three requests, or one, are over before the profiler has looked often. */
const FEW: ReadonlySet<string> = new Set(['search-sorted-5-non-custodian', 'everything-custodian']);

test('very small numbers', { skip: LINUX }, async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, 'figures.json');
  const only = [
    'boot',
    'ingest-4',
    'create',
    'read-non-custodian',
    'search-5-custodian',
    'sorted-5-non',
    'everything-c',
  ];
  const numbers = ['--ids', '1000', '--bundles', '1', '--requests', '40', '--data', join(directory, 'none')];
  const args = ['--quick', '--json', file, ...numbers, ...only.flatMap((name) => ['--only', name])];
  const { code, output, progress } = await bench(args, directory);
  assert.equal(code, 0, progress);
  assert.match(progress, /read-non-custodian/);
  assert.deepEqual(readdirSync(directory), ['figures.json']);

  const report = JSON.parse(readFileSync(file, 'utf8')) as BenchReport;
  assert.deepEqual(Object.keys(report), [
    'format',
    'at',
    'machine',
    'options',
    'bundles',
    'consentRules',
    'start',
    'scenarios',
  ]);
  assert.deepEqual([report.format, report.bundles, report.consentRules], ['medseal/bench/1', 'generated records', 50]);
  assert.deepEqual(Object.keys(report.machine), ['cpus', 'model', 'memory', 'system', 'node', 'load']);
  assert.deepEqual(
    Object.entries(report.start).map(([name, times]) => [name, times.length]),
    [
      ['boot', 1],
      ['restart', 1],
      ['restartPopulated', 4],
    ],
  );
  const names = [
    'ingest-4',
    'create-16',
    'search-5-custodian',
    'read-non-custodian',
    'search-sorted-5-non-custodian',
    'everything-custodian',
  ];
  assert.deepEqual(
    report.scenarios.map(({ name }) => name),
    names,
  );
  const everything = report.scenarios.at(-1);
  // An entry is a unit of it.
  assert.deepEqual([everything?.unit, everything?.inFlight, everything?.units], ['resource', 8, 78]);
  for (const scenario of report.scenarios) {
    assert.deepEqual(Object.keys(scenario), [
      'name',
      'unit',
      'client',
      'inFlight',
      'requests',
      'units',
      'rounds',
      'median',
      'peakMemory',
      'stages',
      'files',
    ]);
    const { median, rounds, stages = {}, files = {}, peakMemory } = scenario;
    assert.deepEqual(Object.keys(median), ['perSecond', 'p50', 'p95', 'p99', 'serverCpu', 'postgresCpu', 'clientCpu']);
    assert.deepEqual(rounds, [median]);
    const { perSecond, p50, p95, p99 } = median;
    assert.ok(perSecond > 0 && p50 > 0 && p50 <= p95 && p95 <= p99, JSON.stringify(median));
    assert.ok(peakMemory > 50_000_000);
    assert.match(output, new RegExp(`^${scenario.name} `, 'm'));
    if (FEW.has(scenario.name)) continue;
    assert.ok((stages.storage ?? 0) > 0, `${scenario.name}: ${JSON.stringify(stages)}`);
    assert.ok(Object.keys(files).some((path) => path.startsWith('src/storage/')));
  }
});

test('what it does not take is told', async () => {
  const { code, progress } = await bench(['--ids', '500'], await temporaryDirectory());
  assert.equal(code, 2);
  assert.match(progress, /--ids is a multiple of 1000/);
});

async function bench(args: readonly string[], directory: string) {
  const child = spawn(process.execPath, [BENCH, ...args], { env: { ...process.env, TMPDIR: directory } });
  const [output, progress, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: code as number, output, progress };
}
