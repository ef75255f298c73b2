import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findServer } from '../../src/cli/data-directory.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { startTestNode, type TestNode, type TestNodeOptions } from '../support/test-node.ts';
import { until } from '../support/until.ts';

/** A node whose fault drills are told while it runs (src/fault-drill.ts). */
export interface DrillNode extends TestNode {
  /** From now on; '' disarms. */
  arm(drill: string): Promise<void>;
  /** Whether what was armed last has happened. */
  hasStruck(): boolean;
}

const ARMED = 'a fault drill is armed';
const STRIKES = 'a fault drill strikes';

export async function startDrillNode(
  test: Parameters<typeof startTestNode>[0],
  options: TestNodeOptions = {},
): Promise<DrillNode> {
  const file = join(await temporaryDirectory(), 'drill');
  writeFileSync(file, '');
  const node = await startTestNode(test, { ...options, env: { ...options.env, MEDSEAL_FAULT: `@${file}` } });
  const linesWith = (text: string): number => node.log().split(text).length - 1;
  let armed = 0;
  return {
    ...node,
    async arm(drill) {
      writeFileSync(file, drill);
      const before = linesWith(ARMED);
      armed = linesWith(STRIKES);
      process.kill(findServer(node.dataDirectory).pid, 'SIGUSR2');
      await until(`${drill} is armed`, () => linesWith(ARMED) > before);
    },
    hasStruck: () => linesWith(STRIKES) > armed,
    // A new process has a new log.
    async restart(env) {
      armed = 0;
      await (env === undefined ? node.restart() : node.restart({ ...env, MEDSEAL_FAULT: `@${file}` }));
    },
  };
}
