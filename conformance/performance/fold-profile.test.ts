import assert from 'node:assert/strict';
import { Session } from 'node:inspector/promises';
import { test } from 'node:test';
import { canonicalJson } from '../../src/fhir/json/canonical.ts';
import { type CpuProfile, foldProfile, stageOf } from './fold-profile.ts';

const ROOT = 'file:///project/';

test('time in libraries and in Node counts for the stage that called them', () => {
  const folded = foldProfile(
    profileOf([
      ['(root)', '', [2, 3, 4, 5, 10], 0],
      ['(idle)', '', [], 1000],
      ['(garbage collector)', '', [], 7],
      ['read', `${ROOT}src/interactions/read.ts`, [6, 7], 10],
      ['onData', `${ROOT}node_modules/pg-protocol/dist/parser.js`, [8], 3],
      ['open', `${ROOT}src/sealing/jwe.ts`, [9], 20],
      ['parse', 'node:internal/url', [], 5],
      ['slice', 'node:buffer', [], 4],
      ['verify', `${ROOT}node_modules/@scope/lib/index.js`, [], 40],
      ['tick', 'node:internal/timers', [], 2],
    ]),
    ROOT,
    stageOf,
  );
  assert.deepEqual(Object.entries(folded), [
    ['sealing', 60],
    ['interactions', 15],
    ['(garbage collector)', 7],
    ['npm pg-protocol', 7],
    ['node', 2],
  ]);
});

test('stages are the folders of src/, and what lies beside them', () => {
  const stages = ['src/api/app.ts', 'src/storage/database/port.ts', 'src/compose.ts', 'chaincode/src/rules/anchor.ts'];
  assert.deepEqual(stages.map(stageOf), ['api', 'storage', 'compose.ts', 'chaincode']);
});

test('what V8 writes is what is folded', async () => {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.start');
  const until = performance.now() + 200;
  while (performance.now() < until) canonicalJson({ b: Array.from({ length: 100 }, (_, a) => ({ a })) });
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  const folded = foldProfile(profile as CpuProfile, new URL('../../', import.meta.url).href, stageOf);
  assert.ok((folded.fhir ?? 0) > 0, JSON.stringify(folded));
});

/** Nodes are numbered from 1; each has been sampled once, after its time. */
function profileOf(nodes: readonly (readonly [string, string, readonly number[], number])[]): CpuProfile {
  return {
    nodes: nodes.map(([functionName, url, children], index) => ({
      id: index + 1,
      callFrame: { functionName, url },
      children,
    })),
    samples: nodes.map((_, index) => index + 1),
    timeDeltas: nodes.map(([, , , time]) => time),
  };
}
