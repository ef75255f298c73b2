import { readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { ROOT } from '../../architecture/sources.ts';
import type { Random } from '../../support/seed.ts';
import { whyEquivalent } from './equivalents.ts';

/** What is mutated. */
export const FOLDERS = ['src/consent', 'src/auth'];

/** One small change of one source. */
export interface Mutant {
  /** From the repository's root. */
  readonly file: string;
  readonly line: number;
  /** The line as it is, and as it becomes, without indentation. */
  readonly was: string;
  readonly becomes: string;
  /** The whole file with it. */
  readonly source: string;
  /** Why it changes nothing that could be seen, where equivalents.ts says so. */
  readonly equivalent: string | undefined;
}

/** What is put in place of what. Each occurrence in a source is a mutant. */
const CHANGES: readonly (readonly [from: RegExp, to: string])[] = [
  [/ === /g, ' !== '],
  [/ !== /g, ' === '],
  [/ && /g, ' || '],
  [/ \|\| /g, ' && '],
  [/ <= /g, ' < '],
  [/ < /g, ' <= '],
  [/ > /g, ' >= '],
  [/ \? (?=[^:?]+ : )/g, ' === undefined ? '],
  [/\btrue\b/g, 'false'],
  [/\bfalse\b/g, 'true'],
  [/\.some\(/g, '.every('],
  [/\.every\(/g, '.some('],
  [/if \(!/g, 'if ('],
  // `return undefined;` would stay what it is.
  [/\breturn (?!;|undefined;)[^;{\n]+;/g, 'return undefined as never;'],
];

/** Nothing changes in comments, types and imports. */
const WITHOUT_EFFECT = /^(\/?\*|\/\/|import|export (interface|type)|readonly )/;

/** @param word only of files whose path contains it */
export function sourceMutants(word = ''): readonly Mutant[] {
  return FOLDERS.flatMap(sourcesOf)
    .filter((file) => file.includes(word))
    .flatMap(mutantsOf);
}

function sourcesOf(folder: string): readonly string[] {
  const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.ts') && !name.includes('.test.'))
    .sort()
    .map((name) => `${folder}/${name}`);
}

function mutantsOf(file: string): readonly Mutant[] {
  const source = readFileSync(join(ROOT, file), 'utf8');
  const lines = source.split('\n');
  return CHANGES.flatMap(([from, to]) =>
    [...source.matchAll(from)].flatMap((match) => {
      const before = source.slice(0, match.index);
      const mutated = `${before}${to}${source.slice(match.index + match[0].length)}`;
      const line = before.split('\n').length;
      const was = lines[line - 1]?.trim() ?? '';
      const becomes = mutated.split('\n')[line - 1]?.trim() ?? '';
      if (WITHOUT_EFFECT.test(was) || !isTypeScript(mutated)) return [];
      return [{ file, line, was, becomes, source: mutated, equivalent: whyEquivalent({ file, was, becomes }) }];
    }),
  );
}

/** What does not even load, any test would notice. */
function isTypeScript(source: string): boolean {
  try {
    stripTypeScriptTypes(source);
    return true;
  } catch {
    return false;
  }
}

/** Of each file its share of `count`, rounded up, in random order. */
export function sampleOf(all: readonly Mutant[], count: number, random: Random): readonly Mutant[] {
  const share = Math.min(1, count / all.length);
  const byFile = Object.values(Object.groupBy(all, ({ file }) => file));
  return shuffled(
    byFile.flatMap((mutants = []) => shuffled(mutants, random).slice(0, Math.ceil(mutants.length * share))),
    random,
  );
}

function shuffled<T>(items: readonly T[], random: Random): readonly T[] {
  const left = [...items];
  return items.flatMap(() => left.splice(random.integer(left.length), 1));
}
