import { after, suite, test } from 'node:test';
import { isSoak, newSeed } from '../support/seed.ts';
import { checkTrail, type DrillStage, runDrill, stageOf } from './drill.ts';
import { startDrillNode } from './drill-node.ts';
import type { DrilledPoint } from './points.ts';

type Hooks = Parameters<typeof startDrillNode>[0];

export interface DrillSuiteOptions {
  /** Why these cannot be run here, or false. */
  readonly skip?: string | false;
  /** Starts what the node is to use, and says so in the node's environment. */
  readonly surroundings?: (test: Hooks) => Promise<Readonly<Record<string, string>>>;
}

async function startStage(test: Hooks, { surroundings }: DrillSuiteOptions): Promise<DrillStage> {
  const env = (await surroundings?.(test)) ?? {};
  return stageOf(await startDrillNode(test, { database: 'embedded', env }));
}

/**
 * Each point in its modes for `npm test`, each time with a seed of its own (three for most points), on one node with
 * PostgreSQL of its own, which goes through everything. A failure names its seed, SEED=… repeats it; `npm run soak` takes
 * all modes, with any number of seeds.
 */
export function drillSuite(name: string, points: readonly DrilledPoint[], options: DrillSuiteOptions = {}): void {
  suite(name, { skip: options.skip ?? false }, () => {
    let stage: Promise<DrillStage> | undefined;
    const hooks: (() => Promise<void>)[] = [];
    // Those of a node that is started inside a test would end it with that test.
    after(async () => {
      for (const hook of hooks) await hook();
    });
    for (const point of points) {
      for (const mode of isSoak ? point.modes : point.brief) {
        test(`${point.point}: ${mode}`, async () => {
          stage ??= startStage({ after: (hook) => hooks.push(hook) }, options);
          const { node } = await stage;
          await runDrill(await stage, { point, mode, seed: newSeed() });
          await checkTrail(node);
        });
      }
    }
  });
}
