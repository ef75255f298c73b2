import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What a network of plain processes needs on the PATH. README.md says where the releases come from. */
const PROGRAMS = ['peer', 'orderer', 'configtxgen', 'cryptogen', 'osnadmin'] as const;
export type Program = (typeof PROGRAMS)[number];

export interface Programs {
  /** Absolute paths. */
  readonly path: Readonly<Record<Program, string>>;
  /** The folder of Fabric's builder for chaincode as a service. */
  readonly builder: string;
}

/** Where the releases put the builder, seen from the folder of `peer`; the last is that of the Docker image. */
const BUILDERS = ['ccaas', '../builders/ccaas', '/opt/hyperledger/ccaas_builder'];

/** @throws Error that names everything that is missing */
export function findPrograms(searchPath = process.env.PATH ?? ''): Programs {
  const missing = missingPrograms(searchPath);
  if (missing.length > 0) throw new Error(`Not on the PATH: ${missing.join(', ')}. See fabric/README.md`);
  const path = Object.fromEntries(
    PROGRAMS.map((name) => [name, findProgram(name, searchPath) ?? '']),
  ) as Programs['path'];
  return { path, builder: findBuilder(path.peer) ?? '' };
}

/** What of it is not there; the builder is among it. */
function missingPrograms(searchPath: string): readonly string[] {
  const missing: string[] = PROGRAMS.filter((name) => findProgram(name, searchPath) === undefined);
  const peer = findProgram('peer', searchPath);
  return peer !== undefined && findBuilder(peer) === undefined ? [...missing, 'ccaas (beside peer)'] : missing;
}

/**
 * Runs a program to its end; answers with its standard output.
 *
 * @throws Error with the last of what it wrote to its standard error
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  try {
    const { stdout } = await run(program, args, { env: childEnvironment(environment), maxBuffer: 1 << 26 });
    return stdout;
  } catch (cause) {
    const { stderr = '', stdout = '' } = cause as { stderr?: string; stdout?: string };
    const said = `${stdout}\n${stderr}`.trim().split('\n').slice(-4).join('\n');
    throw new Error(`${program} ${args.join(' ')} failed: ${said}`, { cause });
  }
}

/** Nothing of ours but what finds files and marks processes: no proxies, no settings of another Fabric. */
export function childEnvironment(own: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env;
  return { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }), ...own };
}

/** Where a program lies that may be run; undefined when it is not on the path. */
export function findProgram(name: string, searchPath: string): string | undefined {
  return searchPath
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function findBuilder(peer: string): string | undefined {
  return BUILDERS.map((folder) => (folder.startsWith('/') ? folder : join(dirname(peer), folder))).find((folder) =>
    existsSync(join(folder, 'bin/detect')),
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // not there, or not to be run
  }
}
