import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { FhirClient } from '../support/fhir-client.ts';
import { type Random, randomOf } from '../support/seed.ts';
import { until } from '../support/until.ts';
import { type Actor, createActor, MARKER } from './actor.ts';
import type { DrillNode } from './drill-node.ts';
import { clientOf } from './node-records.ts';
import type { DrilledPoint, Mode } from './points.ts';
import { untilAnchored } from './records-database.ts';
import { scrubFindings } from './scrub.ts';

export interface Drill {
  readonly point: DrilledPoint;
  readonly mode: Mode;
  readonly seed: number;
}

/** A node with the clients that drills use. */
export interface DrillStage {
  readonly node: DrillNode;
  readonly hospital: FhirClient;
  readonly outsider: FhirClient;
  patient(id: string): FhirClient;
}

const ACTORS = 4;
/** Rounds after which a drill that has not struck counts as never to strike. */
const ROUNDS = 12;
/** How long a client waits for what hangs before it gives up. */
const PATIENCE_MS = 250;

export function stageOf(node: DrillNode): DrillStage {
  return {
    node,
    hospital: clientOf(node, 'hospital-a'),
    outsider: clientOf(node, 'research-institute'),
    patient: (id) => clientOf(node, `patient:${id}`),
  };
}

let drills = 0;

/**
 * Works against the node with one fault armed, lets it happen, brings the node back, retries what got no answer, and
 * reads everything back: nothing acknowledged is lost, no version is there twice, a transaction is there in full or not
 * at all, and nothing is readable that was not permitted.
 */
export async function runDrill(stage: DrillStage, drill: Drill): Promise<void> {
  try {
    await strikeAndRecover(stage, drill);
  } catch (cause) {
    const { point, mode, seed } = drill;
    throw new Error(`${point.point}:${mode} with SEED=${seed}: ${(cause as Error).message}`, { cause });
  }
}

async function strikeAndRecover(stage: DrillStage, { point, mode, seed }: Drill): Promise<void> {
  const { node } = stage;
  const random = randomOf(seed);
  const recovery = Promise.withResolvers<void>();
  const actors = await createActors(stage, random, () => recovery.promise);
  await node.arm(`${point.point}:${mode}:${1 + random.integer(point.within)}`);

  let isOver = false;
  const working = Promise.allSettled(actors.map((actor) => workUntil(actor, () => isOver)));
  await until(`${point.point}:${mode} strikes`, () => node.hasStruck(), 60_000);
  isOver = true;
  if (mode !== 'error' && mode !== 'differ') {
    await crash(node, mode);
    for (const actor of actors) await actor.checkOpen();
  }
  recovery.resolve();
  for (const outcome of await working) if (outcome.status === 'rejected') throw outcome.reason;
  for (const actor of actors) await actor.check();
  await seesNothing(stage.outsider);
}

/** Every consent is withdrawn by now. */
export async function seesNothing(outsider: FhirClient): Promise<void> {
  for (const type of ['Patient', 'Observation', 'Encounter', 'Consent']) {
    const { text } = await outsider.get(`${type}?_tag=${MARKER}|&_summary=count`);
    assert.equal(JSON.parse(text).total, 0, `an outsider finds a ${type}: ${text}`);
  }
}

/** Clients that work on records of their own, and wait for `recovered` when they get no answer. */
export async function createActors(
  stage: DrillStage,
  random: Random,
  recovered: () => Promise<void>,
): Promise<Actor[]> {
  drills += 1;
  const { hospital, outsider } = stage;
  const actors: Actor[] = [];
  for (let index = 0; index < ACTORS; index++) {
    const name = `d${drills}-${random.seed % 10_000}-${index}`;
    const patient = index === 0 ? stage.patient(name) : undefined;
    // Its client is registered before anything can fail.
    await patient?.get('metadata');
    actors.push(
      createActor({ name, random: randomOf(random.integer(2 ** 31)), hospital, patient, outsider, recovered }),
    );
  }
  return actors;
}

/** Rounds of work until `isOver`, but not for ever. */
export async function workUntil(actor: Actor, isOver: () => boolean): Promise<void> {
  for (let round = 0; round < ROUNDS && !isOver(); round++) await actor.round();
}

/** Lets the process end as the drill has it, and starts it again. */
async function crash(node: DrillNode, mode: Mode): Promise<void> {
  if (mode === 'timeout') {
    await delay(PATIENCE_MS);
    await node.kill9();
  } else await node.ended();
  await node.restart();
}

/** Everything is anchored, and a scrub finds no disagreement. */
export async function checkTrail(node: DrillNode): Promise<void> {
  await untilAnchored(node);
  assert.deepEqual(await scrubFindings(node), []);
}
