import { lex } from './lex.ts';
import type { Source } from './sources.ts';

/** One of the project's rules about how it is written: where it is broken, as `file:line`. */
export interface Rule {
  readonly name: string;
  /** Which files it is about. */
  readonly applies: (source: Source) => boolean;
  /** Line numbers, from 1. */
  readonly broken: (source: Source) => readonly number[];
}

const inServer = ({ path, isTest }: Source): boolean => path.startsWith('src/') && !isTest;
const everywhere = (): boolean => true;

/** A statement, by how it begins; `with` and `update` only where they cannot be English. */
const SQL =
  /^\s*(?:select\s+(?:\S+\s+from\b|\$\d|\w+\(|[\w.*",\s]+\sfrom\b|1\b)|insert\s+into\s|update\s+[\w.]+\s+set\s|delete\s+from\s|(?:create|alter|drop)\s+(?:table|index|view|role|user|database|schema|function)\b|with\s+\w+\s+as\s*\(|grant\s+\w+\s+on\s|truncate\s|copy\s+\w+\s+(?:from|to)\s|(?:un)?listen\s|notify\s|begin\b|commit\b|rollback\b|set\s+(?:local|role)\b)/i;

const MAX_LINES = 300;
/** How a longer file says why. */
const REASON = /longer than 300 lines/i;

export const RULES: readonly Rule[] = [
  {
    name: 'the environment is read in src/config.ts only',
    applies: (source) => inServer(source) && source.path !== 'src/config.ts',
    broken: (source) =>
      linesWith(source, /\bprocess\s*(?:\??\.)\s*env\b|\bprocess\s*\[\s*'#|\benv\b[^;]*\bfrom '#\d+'/),
  },
  {
    name: 'nothing in src/ writes to the console',
    applies: inServer,
    broken: (source) => linesWith(source, /\bconsole\b/),
  },
  {
    name: 'no default exports',
    // A declaration file tells how someone else's module is.
    applies: ({ path }) => !path.endsWith('.d.ts'),
    broken: (source) => linesWith(source, /\bexport\s+default\b|\bexport\s*\{[^}]*\bas\s+default\b|\bexport\s*=/),
  },
  {
    name: 'no `any`',
    applies: everywhere,
    broken: (source) => linesWith(source, /(?:\S:|[<|&(,]|\bas|\bextends|=>)\s*any\b(?!\s*[(:.?}])|\bany\s*\[\]/),
  },
  {
    name: 'the compiler is not silenced',
    applies: everywhere,
    broken: ({ text }) => linesOf(text, /@ts-(?:ignore|expect-error|nocheck)\b/),
  },
  {
    name: 'SQL in src/storage/ and src/repository/ only',
    applies: (source) => inServer(source) && !/^src\/(?:storage|repository)\//.test(source.path),
    broken: (source) => {
      const { code, strings } = lex(source.text);
      return [...code.matchAll(/['`]#(\d+)['`]/g)]
        .filter(([, index]) => SQL.test(strings[Number(index)] ?? ''))
        .map((found) => lineAt(code, found.index));
    },
  },
  {
    name: `at most ${MAX_LINES} lines, or a comment that says why the file is longer`,
    applies: ({ isTest }) => !isTest,
    broken: ({ text }) => {
      const lines = text.split('\n').length - 1;
      return lines <= MAX_LINES || REASON.test(text) ? [] : [lines];
    },
  },
];

/** `file:line` of everything that breaks the rule. */
export function violations(rule: Rule, sources: readonly Source[]): readonly string[] {
  return sources.filter(rule.applies).flatMap((source) => rule.broken(source).map((line) => `${source.path}:${line}`));
}

function linesWith({ text }: Source, pattern: RegExp): readonly number[] {
  return linesOf(lex(text).code, pattern);
}

function linesOf(text: string, pattern: RegExp): readonly number[] {
  return [...text.matchAll(new RegExp(pattern.source, 'g'))].map((found) => lineAt(text, found.index));
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}
