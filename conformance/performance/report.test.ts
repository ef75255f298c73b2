import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ScenarioFigures } from './measure.ts';
import { type BenchReport, formatReport } from './report.ts';

const NINE = Array.from({ length: 9 }, (_, number) => number);

test('a row for each scenario; by stage no more than eight side by side, each with its own time', () => {
  const lines = formatReport(reportOf(NINE.map(scenario))).split('\n');
  assert.deepEqual(
    lines.filter((line) => line.startsWith('line-')).map((line) => line.split(/ +/).slice(0, 4)),
    NINE.map((number) => [`line-${number}`, '8', `${100 + number}`, 'resource']),
  );
  assert.deepEqual(
    lines.filter((line) => /^(?:main thread|sealing)/.test(line)).map((line) => line.split(/ {2,}/)),
    [
      ['main thread, µs', ...NINE.slice(0, 8).map((number) => `line-${number}`)],
      ['sealing', ...NINE.slice(0, 8).map((number) => `${10 + number}.0`)],
      ['main thread, µs', 'line-8'],
      ['sealing', '18.0'],
    ],
  );
});

test('without a profile there is no table by stage', () => {
  const { stages: _, ...plain } = scenario(0);
  assert.doesNotMatch(formatReport(reportOf([plain])), /main thread/);
});

function scenario(number: number): ScenarioFigures {
  const median = { perSecond: 100 + number, p50: 1, p95: 2, p99: 3, serverCpu: 4, postgresCpu: 5, clientCpu: 6 };
  return {
    name: `line-${number}`,
    unit: 'resource',
    client: 'hospital-a',
    inFlight: 8,
    requests: 1,
    units: 78,
    rounds: [median],
    median,
    peakMemory: 2 ** 28,
    stages: { sealing: 10 + number, 'too little': 0.4 },
  };
}

function reportOf(scenarios: readonly ScenarioFigures[]): BenchReport {
  return {
    format: 'medseal/bench/1',
    at: '2026-01-01T00:00:00.000Z',
    machine: { cpus: 2, model: 'model', memory: 2 ** 34, system: 'Linux', node: 'v24', load: 0 },
    options: { ids: 1000, rounds: 1, bundles: 1, requests: 1, warm: false, profile: true, only: [] },
    bundles: 'generated records',
    consentRules: 50,
    start: { boot: [], restart: [], restartPopulated: [] },
    scenarios,
  };
}
