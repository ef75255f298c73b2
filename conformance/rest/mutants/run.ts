/**
 * `npm run conformance:mutants [-- --only NAME[,NAME]] [--new] [--wanting] [--jobs N]`: puts each mutant of the server into a copy of the
 * tree, starts the server from there, runs the areas of the REST suite that the mutant names against it, and records
 * which cases fail (kills.json). Without any mutant all cases must pass, or nothing is recorded.
 *
 * --only NAME   mutants whose name contains one of these words
 * --new         mutants that the record does not know
 * --wanting     not those whose areas have no case left that no mutant kills
 * --jobs N      how many at once, 1 unless said otherwise
 */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../../architecture/sources.ts';
import { startSession } from '../../runner/session.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { type Area, runAreas } from '../areas.ts';
import { MUTANTS } from './all.ts';
import type { ServerMutant } from './mutant.ts';
import {
  broadOf,
  byMutant,
  casesOf,
  failuresOf,
  type Kills,
  mergeKills,
  readKills,
  SENTINEL,
  writeKills,
} from './record.ts';

const SOURCES = ['src', 'chaincode', 'conformance', 'fhir-profiles', 'package.json'];

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    new: { type: 'boolean', default: false },
    wanting: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '1' },
  },
});
let kills: Kills = readKills();
const known = byMutant(kills);
const words = values.only?.split(',') ?? [''];
const chosen = MUTANTS.filter(
  ({ name }) => words.some((word) => name.includes(word)) && !(values.new && known.has(name)),
);
const session = await startSession();
const directory = await temporaryDirectory();
const say = (text: string) => void process.stdout.write(`${text}\n`);

const jobs = await Promise.all(Array.from({ length: Number(values.jobs) }, (_, index) => copyOfTree(`copy-${index}`)));
const [first = ''] = jobs;
const areas = new Set(chosen.flatMap((mutant) => [SENTINEL, ...mutant.areas]));
const cases = casesOf(await runIn(first, undefined, { MEDSEAL_REST_LIST: '1' }));
const baseline = failuresOf(await runIn(first, [...areas]));
if (baseline.length > 0) {
  say(`Without any mutant these fail:\n${baseline.join('\n')}`);
  await session.end();
  process.exit(2);
}

const waiting = [...chosen];
let done = 0;
await Promise.all(jobs.map(work));
await session.end();
say(`\n${table()}`);
process.exit(0);

async function work(copy: string): Promise<void> {
  for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
    if (values.wanting && !isWanting(mutant)) continue;
    const failed = await failuresWith(copy, mutant);
    if (session.interrupted()) return;
    const unknown = failed.find((id) => !cases.includes(id));
    if (unknown !== undefined) throw new Error(`${mutant.name}: the suite itself did not run: ${unknown}`);
    done += 1;
    say(`${done}/${chosen.length} ${mutant.name}: ${failed.length}`);
    for (const id of failed) say(`    ${id}`);
    kills = mergeKills(
      kills,
      cases,
      MUTANTS.map(({ name }) => name),
      new Map([[mutant.name, failed]]),
    );
    // Whatever comes later, this is known.
    writeKills(kills);
  }
}

function isWanting({ areas: named }: ServerMutant): boolean {
  const tried = [SENTINEL, ...named];
  return cases.some((id) => (kills[id] ?? []).length === 0 && tried.some((area) => id.startsWith(`${area}: `)));
}

async function failuresWith(
  copy: string,
  { name, file, from, to, areas: named }: ServerMutant,
): Promise<readonly string[]> {
  const path = join(copy, file);
  const source = readFileSync(path, 'utf8');
  if (source.split(from).length !== 2) throw new Error(`${name}: ${file} does not have this once: ${from}`);
  writeFileSync(
    path,
    source.replace(from, () => to),
  );
  try {
    return failuresOf(await runIn(copy, [SENTINEL, ...named]));
  } finally {
    writeFileSync(path, source);
  }
}

function runIn(copy: string, only?: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<readonly Area[]> {
  // All but one file are the same from mutant to mutant.
  const environment = { ...session.environment, NODE_COMPILE_CACHE: join(directory, 'compiled'), ...more };
  return runAreas(join(copy, 'conformance/rest/rest.test.ts'), environment, only);
}

async function copyOfTree(name: string): Promise<string> {
  const copy = join(directory, name);
  mkdirSync(copy);
  for (const part of SOURCES) {
    const filter = (path: string) => !path.includes('/node_modules');
    cpSync(join(ROOT, part), join(copy, part), { recursive: true, filter });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** Mutant → how many cases fail on it; then what does not count, and why. */
function table(): string {
  const by = byMutant(kills);
  const lines = [...by].map(([name, failed]) => `${String(failed.length).padStart(4)}  ${name}`);
  const survivors = MUTANTS.filter(({ name }) => !by.has(name)).map(({ name }) => `      ${name}`);
  const uncounted = Object.keys(kills).filter((id) => (kills[id] ?? []).length === 0);
  return [
    'Cases that fail, by mutant',
    ...lines,
    ...(survivors.length > 0 ? ['Mutants that nothing notices, or that were not run', ...survivors] : []),
    ...broadOf(kills).map((name) => `Too broad to be evidence: ${name}`),
    `${Object.keys(kills).length - uncounted.length} of ${Object.keys(kills).length} cases fail on some mutant; not:`,
    ...uncounted.map((id) => `      ${id}`),
    '',
  ].join('\n');
}
