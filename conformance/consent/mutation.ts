/**
 * `node conformance/consent/mutation.ts [--count N] [--from SEED] [--files WORD] [--near]`: small changes to the sources of consent
 * and auth, one at a time in a copy of the tree; each must make some test fail. Prints the survivors. The parts of the
 * views have a list of their own (view-mutants.ts), of which every test run kills all.
 *
 * A mutant meets the test beside it first, then those of its folder; who survives them, the random triples and the
 * hand-written cases. Before any mutant all of these must pass on the sources as they are: a test that fails anyhow would
 * kill everything. With `--near` a mutant meets the tests of its folder alone: a lower bound, in a fraction of the time.
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { randomOf } from '../support/seed.ts';

const ROOT = join(import.meta.dirname, '../..');
const FOLDERS = ['src/consent', 'src/auth'];
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
  [/\breturn (?!;)[^;{\n]+;/g, 'return undefined as never;'],
];

interface Mutant {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  readonly source: string;
}

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100' },
    from: { type: 'string' },
    files: { type: 'string' },
    near: { type: 'boolean', default: false },
  },
});
const random = randomOf(Number(values.from ?? Date.now() % 2 ** 30));
const all = FOLDERS.flatMap(sourcesOf)
  .filter((file) => file.includes(values.files ?? ''))
  .flatMap(mutantsOf);
const chosen = Array.from({ length: Math.min(Number(values.count), all.length) }, () => {
  const [one] = all.splice(random.integer(all.length), 1);
  return one as Mutant;
});

const copy = mkdtempSync(join(tmpdir(), 'medseal-mutants-'));
process.on('exit', () => rmSync(copy, { recursive: true, force: true }));
for (const name of ['src', 'conformance', 'chaincode', 'docs', 'package.json', 'tsconfig.json']) {
  cpSync(join(ROOT, name), join(copy, name), { recursive: true });
}
symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));

/** Milliseconds after which a mutant hangs, and so is noticed: several times what all of a suite took without one. */
let limit = 600_000;
/** Behind those of a mutant's own folder. */
const SUITES = values.near
  ? []
  : [
      ['consent/locks-agree', 'consent/second-lock'],
      ['consent/cases', 'consent/explain', 'consent/delegation', 'consent/merge', 'main-job/other', 'main-job/trail'],
      ['consent/break-glass', 'consent/ledger', 'consent/trail-search', 'consent/figures', 'consent/paired'],
    ];
for (const words of [
  ...FOLDERS.filter((folder) => chosen.some(({ file }) => file.startsWith(folder))).map((folder) => [`${folder}/`]),
  ...SUITES,
]) {
  const began = performance.now();
  if (passes(words)) {
    limit = Math.max(limit, 5 * (performance.now() - began));
    continue;
  }
  process.stderr.write(`mutate: without any mutant a test of ${words.join(', ')} fails\n`);
  process.exit(2);
}

const survivors: Mutant[] = [];
for (const [index, mutant] of chosen.entries()) {
  const killer = killerOf(mutant);
  if (killer === undefined) survivors.push(mutant);
  process.stdout.write(
    `${index + 1}/${chosen.length} ${killer ?? 'SURVIVED'} ${mutant.file}:${mutant.line} ${mutant.text}\n`,
  );
}
const killed = chosen.length - survivors.length;
process.stdout.write(`seed ${random.seed}: ${killed} of ${chosen.length} killed\n`);
process.exit(killed >= chosen.length * 0.9 ? 0 : 1);

function sourcesOf(folder: string): string[] {
  const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.ts') && !name.includes('.test.')).map((name) => `${folder}/${name}`);
}

function mutantsOf(file: string): readonly Mutant[] {
  const source = readFileSync(join(ROOT, file), 'utf8');
  return CHANGES.flatMap(([from, to]) =>
    [...source.matchAll(from)].flatMap((match) => {
      const before = source.slice(0, match.index);
      const line = before.split('\n').length;
      const text = source.split('\n')[line - 1]?.trim() ?? '';
      // Not in comments, types and imports, where nothing changes.
      if (/^(\/?\*|\/\/|import|export (interface|type)|readonly )/.test(text)) return [];
      const mutated = `${before}${to}${source.slice(match.index + match[0].length)}`;
      // What does not even load, any test would notice.
      if (!isTypeScript(mutated)) return [];
      return [{ file, line, text: `${text}  →  ${to.trim()}`, source: mutated }];
    }),
  );
}

/** What fails with it; undefined when nothing does. */
function killerOf({ file, source }: Mutant): string | undefined {
  const original = readFileSync(join(copy, file), 'utf8');
  writeFileSync(join(copy, file), source);
  try {
    const beside = file.replace(/\.ts$/, '.test.ts');
    const folder = FOLDERS.find((one) => file.startsWith(one)) ?? '';
    const suites = [...(existsSync(join(copy, beside)) ? [[beside]] : []), [`${folder}/`], ...SUITES];
    return suites.find((words) => !passes(words))?.[0];
  } finally {
    writeFileSync(join(copy, file), original);
  }
}

function passes(words: readonly string[]): boolean {
  const { status } = spawnSync(process.execPath, ['conformance/run.ts', ...words], {
    cwd: copy,
    env: { ...process.env, TRIPLES: '20000', SEED: '1', MEDSEAL_TEST_ROOT: copy },
    stdio: 'ignore',
    timeout: limit,
  });
  return status === 0;
}

function isTypeScript(source: string): boolean {
  try {
    stripTypeScriptTypes(source);
    return true;
  } catch {
    return false;
  }
}
