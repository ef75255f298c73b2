/** `npm run bench`: how fast a node is, and what it spends its time on (docs/performance.md). */
import { existsSync, writeFileSync } from 'node:fs';
import { UsageError } from '../../src/cli/usage.ts';
import { startBenchNode } from './bench-node.ts';
import { type Courses, coursesOf } from './courses.ts';
import { measure, type ScenarioFigures } from './measure.ts';
import { type BenchOptions, readOptions, USAGE } from './options.ts';
import { newRecords, type Population, type Push, population } from './population.ts';
import { pushCourses, pushDirectory, pushPopulation } from './prepare.ts';
import { type BenchReport, describeMachine, formatReport } from './report.ts';
import { type Scenario, scenariosOf } from './scenarios.ts';
import { syntheaBundles } from './synthea-bundles.ts';

const GRANTEE = 'research-institute';

/** What is ingested, where it comes from, and what must be there before. */
interface Source {
  readonly name: string;
  readonly directory: readonly Buffer[];
  readonly pushes: () => Generator<Push>;
}

process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));
process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const options = readOptions(process.argv.slice(2));
    if (options === undefined) {
      process.stdout.write(USAGE);
      return 0;
    }
    const report = await run(options);
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
    process.stdout.write(formatReport(report));
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`bench: ${error.message}\n\n${USAGE}`);
    return 2;
  }
}

async function run(options: BenchOptions): Promise<BenchReport> {
  const { ids, rounds, only } = options;
  const { json: _, data: _data, ...told } = options;
  const at = new Date().toISOString();
  const machine = describeMachine();
  const people = population(ids, GRANTEE);
  const courses = coursesOf(people);
  const source: Source = existsSync(options.data)
    ? { name: 'Synthea patients', ...syntheaBundles(options.data) }
    : { name: 'generated records', directory: [], pushes: newRecords };
  const wanted = ({ name }: { readonly name: string }) => only.length === 0 || only.some((part) => name.includes(part));
  const scenarios = scenariosOf({ ...options, population: people, courses, pushes: source.pushes }).filter(wanted);
  const starts = wanted({ name: 'boot' }) ? await measureStarts(rounds) : { boot: [], restart: [] };
  const { figures, restarts } =
    scenarios.length > 0
      ? await measureAll(scenarios, { source, people, courses }, options)
      : { figures: [], restarts: [] };
  return {
    format: 'medseal/bench/1',
    at,
    machine,
    options: told,
    bundles: source.name,
    consentRules: people.patients,
    start: { ...starts, restartPopulated: restarts },
    scenarios: figures,
  };
}

async function measureStarts(rounds: number) {
  const boot: number[] = [];
  const restart: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    progress(`boot ${round} of ${rounds}`);
    const node = await startBenchNode(false);
    try {
      boot.push(node.boot);
      await node.restart();
      restart.push(...node.restarts);
    } finally {
      await node.stop();
    }
  }
  return { boot, restart };
}

async function measureAll(
  scenarios: readonly Scenario[],
  { source, people, courses }: { readonly source: Source; readonly people: Population; readonly courses: Courses },
  options: BenchOptions,
): Promise<{ readonly figures: readonly ScenarioFigures[]; readonly restarts: readonly number[] }> {
  const node = await startBenchNode();
  try {
    const figures: ScenarioFigures[] = [];
    const run = async (some: readonly Scenario[]) => {
      for (const scenario of some) {
        progress(scenario.name);
        figures.push(await measure(node, scenario, options));
      }
    };
    const needing = (what: Scenario['needs']) => scenarios.filter(({ needs }) => needs === what);
    const writes = needing('nothing');
    if (writes.length > 0) await pushDirectory(node, source.directory);
    await run(writes);
    if (writes.length < scenarios.length) {
      await pushPopulation(node, people, told(`${people.ids} records of ${people.patients} patients`));
    }
    await run(needing('population'));
    // Last, so that nothing else is measured among more than its own.
    const others = needing('courses');
    if (others.length > 0) await pushCourses(node, courses, told(`${courses.entries} more of some of them`));
    await run(others);
    return { figures, restarts: node.restarts };
  } finally {
    await node.stop();
  }
}

/** A line for each tenth. */
function told(what: string): (share: number) => void {
  let next = 0;
  return (share) => {
    if (share < next) return;
    progress(`${what}: ${Math.floor(share * 100)} %`);
    next = share + 0.1;
  };
}

function progress(what: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${what}\n`);
}
