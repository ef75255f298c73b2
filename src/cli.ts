import { fileURLToPath } from 'node:url';
import { COMMANDS, type Command } from './cli/commands.ts';
import { UsageError } from './cli/usage.ts';
import { MedSealError } from './errors.ts';

/**
 * The `medseal` command. Exit codes: 0 done, 1 refused or failed (the reason is on standard error), 2 misused.
 *
 * @returns the exit code
 */
export async function main(args: readonly string[]): Promise<number> {
  const [name = 'help', ...rest] = args;
  const command = COMMANDS.get(name);
  if (command === undefined || name === 'help' || rest.includes('--help')) {
    const unknown = command === undefined && name !== 'help' && name !== '--help';
    process[unknown ? 'stderr' : 'stdout'].write(
      `${unknown ? `medseal: there is no command ${name}\n\n` : ''}${help(command)}`,
    );
    return unknown ? 2 : 0;
  }
  try {
    return await command.run(rest);
  } catch (error) {
    if (error instanceof UsageError || isParseError(error)) {
      process.stderr.write(`medseal ${name}: ${error.message}\n\n${help(command)}`);
      return 2;
    }
    if (!(error instanceof MedSealError)) throw error;
    process.stderr.write(`medseal ${name}: ${error.message}\n`);
    return 1;
  }
}

function help(command: Command | undefined): string {
  if (command !== undefined) return `Usage: medseal ${command.usage}\n\n${command.about}\n`;
  const lines = [...COMMANDS.values()].map(({ usage, summary }) => `  ${usage}\n      ${summary}`);
  return `Usage: medseal COMMAND\n\n${lines.join('\n')}\n\nThe server is found through MEDSEAL_DATA (default .medseal).\n`;
}

/** What node:util's parseArgs throws for options that a command does not have. */
function isParseError(error: unknown): error is Error {
  return error instanceof TypeError && String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv.slice(2));
