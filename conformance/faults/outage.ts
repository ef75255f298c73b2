import { newSeed, randomOf } from '../support/seed.ts';
import { until } from '../support/until.ts';
import type { Actor } from './actor.ts';
import { checkTrail, createActors, type DrillStage, seesNothing } from './drill.ts';

/** Something that the node uses goes away and comes back. */
export interface Outage {
  begin(): void | Promise<void>;
  /** What must come about before it ends. */
  meanwhile(waits: Waits): Promise<void>;
  end(): void | Promise<void>;
}

interface Waits {
  /** Every client gets done what it does. */
  everyoneWorks(): Promise<void>;
  /** `/ready` says no. */
  unready(): Promise<void>;
}

/** Rounds that each client works before, during and after. */
const ROUNDS = 1;
const LIMIT_MS = 120_000;

/**
 * Clients work against the node while something that it uses goes away under them, and comes back. Afterwards what they
 * were told is compared with what is there, everything is anchored, and a scrub finds no disagreement.
 */
export async function runOutage(stage: DrillStage, outage: Outage): Promise<void> {
  const seed = newSeed();
  const serves = () => until('the node serves', () => isReady(stage), LIMIT_MS);
  const actors = await createActors(stage, randomOf(seed), serves);
  const rounds = actors.map(() => 0);
  let isOver = false;
  const work = async (actor: Actor, index: number): Promise<void> => {
    for (; !isOver; rounds[index] = (rounds[index] ?? 0) + 1) await actor.round();
  };
  const working = Promise.allSettled(actors.map(work));
  const failed = working.then((outcomes) => {
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  });
  const everyoneWorks = async (when: string): Promise<void> => {
    const goal = rounds.map((round) => round + ROUNDS);
    const worked = until(
      `everyone works ${when}`,
      () => rounds.every((round, at) => round >= (goal[at] ?? 0)),
      LIMIT_MS,
    );
    await Promise.race([worked, failed.then(() => worked)]);
  };
  try {
    await everyoneWorks('before');
    await outage.begin();
    await outage.meanwhile({
      everyoneWorks: () => everyoneWorks('meanwhile'),
      unready: () => until('the node says that it cannot serve', async () => !(await isReady(stage)), LIMIT_MS),
    });
    await outage.end();
    await everyoneWorks('after');
    isOver = true;
    await failed;
    for (const actor of actors) await actor.check();
    await seesNothing(stage.outsider);
    await checkTrail(stage.node);
  } catch (cause) {
    throw new Error(`with SEED=${seed}: ${(cause as Error).message}`, { cause });
  } finally {
    isOver = true;
    await outage.end();
    await working;
  }
}

async function isReady({ node }: DrillStage): Promise<boolean> {
  try {
    return (await fetch(`${node.url}/ready`)).ok;
  } catch {
    // Nobody listens at the moment.
    return false;
  }
}
