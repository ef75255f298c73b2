import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createRunDirectory } from '../../runner/run-directory.ts';

export type Outcome = 'passed' | 'failed' | 'hung';

/** Runs one test file after the other in a copy of the tree, with a temporary directory of its own. */
export interface TestRunner {
  /** @param limit milliseconds after which it hangs */
  run(copy: string, test: string, limit: number): Promise<Outcome>;
  end(): Promise<void>;
}

/** @param pause while this file is there no test is begun */
export async function createTestRunner(environment: NodeJS.ProcessEnv, pause: string | undefined): Promise<TestRunner> {
  const directory = await createRunDirectory();
  const env = {
    ...environment,
    TMPDIR: directory.path,
    // The same for every mutant; the random triples are enough to find what one in a thousand shows.
    SEED: '1',
    TRIPLES: '10000',
  };
  return {
    async run(copy, test, limit) {
      while (pause !== undefined && existsSync(pause)) await delay(1000);
      const child = spawn(process.execPath, [join(copy, test)], { cwd: copy, env, stdio: 'ignore' });
      const outcome = await outcomeOf(child, limit);
      if (outcome !== 'passed') await directory.endProcesses(500);
      return outcome;
    },
    async end() {
      await directory.endProcesses(500);
      await directory.remove();
    },
  };
}

async function outcomeOf(child: ChildProcess, limit: number): Promise<Outcome> {
  let hung = false;
  const timer = setTimeout(() => {
    hung = true;
    child.kill('SIGKILL');
  }, limit);
  const [status] = await once(child, 'exit');
  clearTimeout(timer);
  if (hung) return 'hung';
  return status === 0 ? 'passed' : 'failed';
}
