import { importsOf, type Source, sources } from '../../architecture/sources.ts';
import { FOLDERS } from './source-mutants.ts';

/**
 * Black-box suites about consent and authorization, the quickest first; through a server they reach everything. Others,
 * such as the four minutes of cases.test.ts, are not asked: what only they would notice counts as having survived.
 */
export const SUITES: readonly string[] = [
  'conformance/main-job/other-institution.test.ts',
  'conformance/consent/delegation.test.ts',
  'conformance/consent/break-glass.test.ts',
  'conformance/main-job/trail.test.ts',
  'conformance/consent/locks-agree.test.ts',
  'conformance/consent/search-scopes.test.ts',
  'conformance/consent/trail-search.test.ts',
  'conformance/consent/merge.test.ts',
  'conformance/consent/labels.test.ts',
  'conformance/consent/explain.test.ts',
];
/** Of the unit tests only these many of the nearest. */
const NEAREST = 10;

/** Which unit tests may notice a change of a source, those that are nearest to it first. */
export interface TestChooser {
  unitTestsOf(file: string): readonly string[];
}

export function createTestChooser(): TestChooser {
  const all = sources('src', 'conformance');
  const imports = new Map(all.map((source) => [source.path, importedBy(source)]));
  const tests = all.filter(({ isTest, path }) => isTest && path.startsWith('src/')).map(({ path }) => path);
  const reached = new Map(tests.map((test) => [test, distances(test, imports)]));
  return {
    unitTestsOf: (file) =>
      tests
        .map((test) => ({ test, distance: reached.get(test)?.get(file) ?? Number.POSITIVE_INFINITY }))
        .filter(({ distance }) => distance < Number.POSITIVE_INFINITY)
        .sort((a, b) => a.distance - b.distance || foreign(a.test) - foreign(b.test))
        .slice(0, NEAREST)
        .map(({ test }) => test),
  };
}

/** Among unit tests that are as near, those of what is mutated come first. */
function foreign(test: string): number {
  return FOLDERS.some((folder) => test.startsWith(`${folder}/`)) ? 0 : 1;
}

/** What runs with a source: what it imports, and what it starts by its name as a thread. */
function importedBy(source: Source): readonly string[] {
  const folder = source.path.replace(/[^/]+$/, '');
  const threads = [...source.text.matchAll(/new URL\('\.\/([\w-]+\.ts)', import\.meta\.url\)/g)];
  return [
    ...importsOf(source).flatMap(({ path, kind }) => (path === undefined || kind === 'type' ? [] : [path])),
    ...threads.map(([, name]) => `${folder}${name}`),
  ];
}

/** How many imports lie between a test and everything that it loads. */
function distances(test: string, imports: ReadonlyMap<string, readonly string[]>): ReadonlyMap<string, number> {
  const found = new Map([[test, 0]]);
  // It grows while it is walked: breadth first.
  for (const [path, distance] of found) {
    for (const next of imports.get(path) ?? []) if (!found.has(next)) found.set(next, distance + 1);
  }
  return found;
}
