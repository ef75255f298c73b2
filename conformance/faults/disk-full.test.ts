/** HARD-CASES 27: the disk is full at a random moment of a workload. Writes are refused, reads go on, nothing is lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { OperationOutcome } from '@medplum/fhirtypes';
import { randomOf, seed } from '../support/seed.ts';
import { until } from '../support/until.ts';
import { checkTrail, createActors, type DrillStage, seesNothing, stageOf, workUntil } from './drill.ts';
import { startDrillNode } from './drill-node.ts';
import { patient } from './node-records.ts';

/** What a full disk does to a write, and how it ends. */
const MODES = ['error', 'timeout', 'kill'] as const;
/** It is full from one of the first so many writes on. */
const WITHIN = 8;

for (const mode of MODES) {
  test(`disk-full: ${mode}`, async (t) => {
    const random = randomOf(seed(t).seed);
    const stage = stageOf(await startDrillNode(t));
    const { node, hospital } = stage;
    assert.equal((await hospital.put('Patient/before', patient('before', '一'))).status, 201);
    const recovery = Promise.withResolvers<void>();
    const actors = await createActors(stage, random, () => recovery.promise);
    await node.arm(`disk-full:${mode === 'timeout' ? 'timeout' : 'error'}:${1 + random.integer(WITHIN)}+`);

    let isOver = false;
    const working = Promise.allSettled(actors.map((actor) => workUntil(actor, () => isOver)));
    await until('the disk is full', () => node.hasStruck(), 60_000);
    isOver = true;
    for (let time = 0; time < 3; time++) await readsLive(stage);
    if (mode !== 'timeout') await writesAreRefused(stage);
    if (mode === 'error') {
      await node.arm('');
    } else {
      await node.kill9();
      await node.restart();
    }
    recovery.resolve();
    for (const outcome of await working) if (outcome.status === 'rejected') throw outcome.reason;
    for (const actor of actors) await actor.check();
    await seesNothing(stage.outsider);
    await checkTrail(node);
  });
}

async function readsLive({ hospital }: DrillStage): Promise<void> {
  const answers = ['Patient/before', 'Patient?_id=before', 'Patient/before/_history'].map((path) => hospital.get(path));
  for (const { status, text } of await Promise.all(answers)) assert.equal(status, 200, text);
  await delay(50);
}

async function writesAreRefused({ hospital }: DrillStage): Promise<void> {
  const { status, text, headers } = await hospital.put('Patient/refused', patient('refused', '二'));
  assert.equal(status, 503, text);
  assert.ok(headers['retry-after'] !== undefined);
  const { resourceType, issue } = JSON.parse(text) as OperationOutcome;
  assert.deepEqual([resourceType, issue[0]?.code], ['OperationOutcome', 'no-store']);
  assert.equal((await hospital.get('Patient/refused')).status, 404);
}
