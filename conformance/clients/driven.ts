import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { startTestNode } from '../support/test-node.ts';

/** A line that a client's program writes for each of its steps. */
interface StepLine {
  readonly step: string;
  readonly passed: boolean;
  readonly error?: string;
}

interface Finished {
  readonly code: number | null;
  readonly output: string;
  /** Standard output and standard error, as they came. */
  readonly all: string;
}

/** Runs a program to its end. */
export async function finished(
  [program = '', ...args]: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  directory?: string,
): Promise<Finished> {
  const child = spawn(program, args, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(directory !== undefined && { cwd: directory }),
  });
  let [output, all] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    all += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    all += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output, all };
}

/** As `finished`. @throws with all that the program wrote when it fails */
export async function succeeded(...run: Parameters<typeof finished>): Promise<string> {
  const { code, output, all } = await finished(...run);
  assert.equal(code, 0, all);
  return output;
}

/** Starts a server; answers what makes a client's program run against it, with a token that was got a moment ago. */
export async function startServerToDrive(): Promise<
  (command: readonly string[], directory?: string) => Promise<Finished>
> {
  const node = await startTestNode({ after: (hook) => after(hook as () => Promise<void>) });
  return async (command, directory) => {
    const environment = { MEDSEAL_BASE: `${node.url}/hospital-a/fhir`, MEDSEAL_TOKEN: await node.token('hospital-a') };
    return finished(command, { ...environment, PYTHONDONTWRITEBYTECODE: '1' }, directory);
  };
}

/**
 * A test for each of the steps that a client's program is to take.
 *
 * @param steps their names, in order; a program that takes others, or fewer, fails
 * @param run what ran the program
 */
export function testSteps(steps: readonly string[], run: () => Promise<Finished>): void {
  let running: Promise<Finished> | undefined;
  const lines = async (): Promise<readonly StepLine[]> => {
    running ??= run();
    const { output } = await running;
    // Maven resets the colours of what it runs.
    return stripVTControlCharacters(output)
      .split('\n')
      .filter((line) => line.startsWith('{"step"'))
      .map((line) => JSON.parse(line) as StepLine);
  };
  for (const step of steps)
    test(step, async () => {
      const line = (await lines()).find((one) => one.step === step);
      assert.ok(line !== undefined, `It did not get there:\n${(await running)?.all}`);
      assert.ok(line.passed, line.error);
    });
  test('no other steps, and the program ends well', async () => {
    const names = (await lines()).map(({ step }) => step);
    assert.deepEqual(names, steps);
    assert.equal((await running)?.code, 0, (await running)?.all);
  });
}
