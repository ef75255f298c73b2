import { after, suite, test } from 'node:test';
import { isSoak, newSeed } from '../support/seed.ts';
import { checkTrail, type DrillStage, runDrill, stageOf } from './drill.ts';
import { startDrillNode } from './drill-node.ts';
import type { DrilledPoint } from './points.ts';

type Hook = () => Promise<void>;

export interface DrillSuiteOptions {
  /** Why these cannot be run here, or false. */
  readonly skip?: string | false;
  /** Starts what the node is to use, and says so in the node's environment. */
  readonly surroundings?: (test: { after(hook: Hook): void }) => Promise<Readonly<Record<string, string>>>;
}

/**
 * Each point in its modes for `npm test`, each time with a seed of its own (three for most points), on one node with
 * PostgreSQL of its own, which goes through everything. A failure names its seed, SEED=… repeats it; `npm run soak` takes
 * all modes, with any number of seeds.
 */
export function drillSuite(name: string, points: readonly DrilledPoint[], options: DrillSuiteOptions = {}): void {
  suite(name, { skip: options.skip ?? false }, () => {
    let stage: Promise<DrillStage> | undefined;
    const [ofNode, ofSurroundings]: [Hook[], Hook[]] = [[], []];
    // Those of a node that is started inside a test would end it with that test; what it uses ends after it.
    after(async () => {
      for (const hook of [...ofNode, ...ofSurroundings]) await hook();
    });

    async function start(): Promise<DrillStage> {
      const env = (await options.surroundings?.({ after: (hook) => ofSurroundings.push(hook) })) ?? {};
      const node = await startDrillNode({ after: (hook) => ofNode.push(hook) }, { database: 'embedded', env });
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
