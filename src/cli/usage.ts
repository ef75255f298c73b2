import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';

/** The command line itself is wrong. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @throws UsageError when `value` was not given */
export function needed<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new UsageError(`${name} is needed`);
  return value;
}

/**
 * Options and positional arguments of a command.
 *
 * @param positionals how many positional arguments the command takes at most
 * @throws UsageError that names what the command does not take, with what may have been meant
 */
export function parseOptions<const Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
  positionals = Number.POSITIVE_INFINITY,
) {
  const parsed = parse(args, options);
  const superfluous = parsed.positionals[positionals];
  if (superfluous !== undefined) throw new UsageError(`${superfluous} is one argument too many`);
  return parsed;
}

function parse<const Options extends ParseArgsOptionsConfig>(args: readonly string[], options: Options) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw new UsageError(unknownOption(args, Object.keys(options)));
    if (code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') throw new UsageError(sentenceOf(error as Error));
    throw error;
  }
}

function unknownOption(args: readonly string[], names: readonly string[]): string {
  const given = args.find((arg) => arg.startsWith('-') && !names.includes(arg.replace(/^--|=.*$/gs, ''))) ?? '';
  const option = given.replace(/=.*$/s, '');
  const meant = closest(option.replace(/^-+/, ''), names);
  return `there is no option ${option}${meant === undefined ? '' : `; did you mean --${meant}?`}`;
}

/** Without Node's advice on how to quote, which follows the first sentence. */
function sentenceOf({ message }: Error): string {
  return message.split(/\.?\s*\n|\. /)[0] ?? message;
}

/** The name that `word` was probably meant to be. */
export function closest(word: string, names: Iterable<string>): string | undefined {
  const ranked = [...names]
    .map((name) => ({ name, distance: name.startsWith(word) ? 1 : editDistance(word, name) }))
    .sort((one, other) => one.distance - other.distance);
  const [best] = ranked;
  return best !== undefined && word !== '' && best.distance <= Math.max(1, word.length / 3) ? best.name : undefined;
}

/** Levenshtein's, over two rows. */
function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [index, character] of [...one].entries()) {
    const next = [index + 1];
    for (let at = 0; at < other.length; at++) {
      const substitution = (row[at] ?? 0) + (character === other[at] ? 0 : 1);
      next.push(Math.min(substitution, (row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
