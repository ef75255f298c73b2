import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What a run of the command wrote, and how it ended. */
export interface Run {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** MEDSEAL_DATA */
  readonly dataDirectory?: string;
  /** Further variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Buffer;
  /** Told of the process, for one that is to be interrupted. */
  readonly onStart?: (pid: number) => void;
}

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

/** Runs the `medseal` command as a process of its own. */
export async function medseal(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const { dataDirectory, env, input, onStart } = options;
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { ...process.env, ...(dataDirectory === undefined ? {} : { MEDSEAL_DATA: dataDirectory }), ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // It may end without reading.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  if (child.pid !== undefined) onStart?.(child.pid);
  const exitCode = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { exitCode, stdout, stderr };
}
