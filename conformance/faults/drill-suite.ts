import { after, suite, test } from 'node:test';
import { isSoak, newSeed } from '../support/seed.ts';
import type { TestNodeOptions } from '../support/test-node.ts';
import { checkTrail, type DrillStage, runDrill, stageOf } from './drill.ts';
import { startDrillNode } from './drill-node.ts';
import type { DrilledPoint } from './points.ts';

export interface DrillSuiteOptions {
  /** Why it is skipped here. */
  readonly skip?: string | false;
  /** What the node needs around it. */
  readonly surroundings?: () => Promise<{ readonly options: TestNodeOptions; readonly close: () => Promise<void> }>;
}

/**
 * Each point in its modes for `npm test`, each time with a seed of its own (three for most points), on one node with
 * PostgreSQL of its own, which goes through everything. A failure names its seed, SEED=… repeats it; `npm run soak` takes
 * all modes, with any number of seeds.
 */
export function drillSuite(
  name: string,
  points: readonly DrilledPoint[],
  { skip = false, surroundings = async () => ({ options: {}, close: async () => undefined }) }: DrillSuiteOptions = {},
): void {
  suite(name, { skip }, () => {
    let stage: Promise<DrillStage> | undefined;
    const hooks: (() => Promise<void>)[] = [];
    // Those of a node that is started inside a test would end it with that test.
    after(async () => {
      for (const hook of hooks) await hook();
    });

    async function start(): Promise<DrillStage> {
      const { options, close } = await surroundings();
      const node = await startDrillNode({ after: (hook) => hooks.push(hook) }, { database: 'embedded', ...options });
      hooks.push(close);
      return stageOf(node);
    }

    for (const point of points) {
      for (const mode of isSoak ? point.modes : point.brief) {
        test(`${point.point}: ${mode}`, async () => {
          stage ??= start();
          const { node } = await stage;
          await runDrill(await stage, { point, mode, seed: newSeed() });
          await checkTrail(node);
        });
      }
    }
  });
}
