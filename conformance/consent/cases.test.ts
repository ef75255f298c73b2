/** Hand-written cases, through HTTP: docs/consent.md by example. */
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { startTestNode } from '../support/test-node.ts';
import { ACTOR_CASES } from './cases/actors.ts';
import { ATTRIBUTE_CASES } from './cases/attributes.ts';
import { BASE_CASES } from './cases/base.ts';
import { COMBINATION_CASES } from './cases/combinations.ts';
import { PUBLISHED_CASES, PUBLISHED_REFUSALS } from './cases/published.ts';
import { REFUSED_CASES } from './cases/refused.ts';
import { createCaseRunner } from './cases/runner.ts';

const CASES = [...BASE_CASES, ...ATTRIBUTE_CASES, ...ACTOR_CASES, ...COMBINATION_CASES, ...PUBLISHED_CASES];
const REFUSALS = [...REFUSED_CASES, ...PUBLISHED_REFUSALS];

suite('consent cases', async () => {
  const node = await startTestNode({ after: (run) => after(run as () => Promise<void>) });
  const runner = await createCaseRunner(node);

  test('there are at least 150, each by a name of its own and with a reason', () => {
    assert.ok(CASES.length + REFUSALS.length >= 150, `${CASES.length + REFUSALS.length}`);
    const names = [...CASES, ...REFUSALS].map((one) => one.name);
    assert.deepEqual(names, [...new Set(names)]);
    for (const { why } of [...CASES, ...REFUSALS]) assert.match(why, /^\p{Lu}.{15,}\.$/u);
  });

  for (const [index, one] of CASES.entries()) test(one.name, () => runner.run(one, `case-${index}`));

  for (const [index, one] of REFUSALS.entries()) {
    test(`refused: ${one.name}`, () => runner.refuse(one, `refused-${index}`));
  }
});
