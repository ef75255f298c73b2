import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coursesOf } from './courses.ts';
import { newRecords, population } from './population.ts';
import { type Scenario, scenariosOf } from './scenarios.ts';

/** Of a full run: one to warm up, three that count, one under the profiler. */
const ROUNDS = 5;
const people = population(200_000, 'research-institute');
const common = { population: people, courses: coursesOf(people), pushes: newRecords, bundles: 1, requests: 12_000 };
const cold = (warm: boolean) => scenariosOf({ ...common, warm }).filter((scenario) => scenario.cold);

test('each line has a name of its own', () => {
  const names = scenariosOf({ ...common, warm: false }).map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  assert.equal(names.length, 24);
});

for (const scenario of cold(false)) {
  test(`${scenario.name}: the rounds of a full run ask for nothing twice`, () => {
    const paths = Array.from({ length: ROUNDS }, () => pathsOf(scenario)).flat();
    assert.equal(new Set(paths).size, paths.length);
    assert.ok(paths.length >= 100 * ROUNDS);
    assert.equal(scenario.warmUps, 1);
  });
}

test('warm, they ask for the same again, and twice before it counts', () => {
  for (const scenario of cold(true)) {
    assert.deepEqual(pathsOf(scenario), pathsOf(scenario), scenario.name);
    assert.equal(scenario.warmUps, 2);
  }
});

test('what is written is another thing each round, warm or not', () => {
  for (const scenario of scenariosOf({ ...common, warm: true }).filter((one) => !one.cold)) {
    const [one, other] = [scenario.next(), scenario.next()].map((round) => round[0]?.body?.toString());
    assert.notEqual(one, other, scenario.name);
  }
});

function pathsOf(scenario: Scenario): readonly string[] {
  return scenario.next().map(({ path }) => path);
}
