import { fileURLToPath } from 'node:url';
import { COMMANDS, type Command } from './cli/commands.ts';
import { closest, UsageError } from './cli/usage.ts';
import { MedSealError } from './errors.ts';
import { readVersion } from './version.ts';

const DONE = 0;
const FAILED = 1;
const MISUSED = 2;

/**
 * The `medseal` command. Exit codes: 0 done, 1 refused or failed (the reason is on standard error), 2 misused, 130
 * interrupted.
 *
 * @returns the exit code
 */
export async function main(args: readonly string[]): Promise<number> {
  const [name = 'help', ...rest] = args;
  if (name === '--version') return say(`${readVersion()}\n`);
  if (name === 'help' || name === '--help' || name === '-h') return helpOn(rest[0]);
  const command = COMMANDS.get(name);
  if (command === undefined) return unknownCommand(name);
  if (rest.includes('--help') || rest.includes('-h')) return say(help(command));
  try {
    return await command.run(rest);
  } catch (error) {
    if (error instanceof UsageError) {
      return complain(`medseal ${name}: ${error.message}\nTry: medseal ${name} --help\n`, MISUSED);
    }
    return complain(`medseal ${name}: ${reasonOf(error)}\n`, FAILED);
  }
}

function helpOn(name: string | undefined): number {
  if (name === undefined) return say(overview());
  const command = COMMANDS.get(name);
  return command === undefined ? unknownCommand(name) : say(help(command));
}

function unknownCommand(name: string): number {
  const meant = closest(name, COMMANDS.keys());
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  return complain(`medseal: there is no command ${name}${hint}\nTry: medseal --help\n`, MISUSED);
}

function help({ usage, about }: Command): string {
  return `Usage: ${[usage].flat().join('\n       ')}\n\n${about}\n`;
}

function overview(): string {
  const width = Math.max(...[...COMMANDS.keys()].map((name) => name.length));
  const lines = [...COMMANDS].map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return [
    'Usage: medseal COMMAND',
    '',
    ...lines,
    '',
    'medseal COMMAND --help tells more. Commands find the server through MEDSEAL_DATA (default .medseal).',
    'Exit codes: 0 done, 1 refused or failed, 2 misused, 130 interrupted.',
    '',
  ].join('\n');
}

/** Never the text of an error that is not ours: it might quote what was read. */
function reasonOf(error: unknown): string {
  if (error instanceof MedSealError) return error.message;
  const { code, syscall, path, stack } = error as NodeJS.ErrnoException;
  if (syscall !== undefined && code !== undefined) return `${[syscall, path].filter(Boolean).join(' ')}: ${code}`;
  const frames = (stack ?? '').split('\n').filter((line) => line.startsWith('    at '));
  return `something went wrong that should not\n${frames.join('\n')}`;
}

function say(text: string): number {
  process.stdout.write(text);
  return DONE;
}

function complain(text: string, exitCode: number): number {
  process.stderr.write(text);
  return exitCode;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv.slice(2));
