import { randomOf } from '../support/seed.ts';
import type { Courses, Kind, Question } from './courses.ts';
import { type LoadRequest, unlessStatus } from './load.ts';
import { newObservation, type Population, type Push } from './population.ts';

/** One line of the table. */
export interface Scenario {
  readonly name: string;
  /** What `perSecond` and µs are of. */
  readonly unit: 'resource' | 'request';
  readonly inFlight: number;
  /** A client of the demonstration: `hospital-a` wrote everything, `research-institute` has a consent of each patient. */
  readonly client: 'hospital-a' | 'research-institute';
  /** Whether the server is started anew before, so that it has nothing in its caches. */
  readonly cold: boolean;
  /** What must be there: the population, or also what happened to some of it besides. */
  readonly needs: 'nothing' | 'population' | 'courses';
  /** Rounds before those that count. */
  readonly warmUps: number;
  /** The requests of the next round; none of them was sent before, unless all of them were. */
  readonly next: () => readonly LoadRequest[];
}

export interface ScenarioOptions {
  readonly population: Population;
  readonly courses: Courses;
  readonly pushes: () => Generator<Push>;
  /** Transactions a round of ingest, and reads a round. */
  readonly bundles: number;
  readonly requests: number;
  /** Whether each round reads and searches for the same again. */
  readonly warm: boolean;
}

/** What is opened is kept from the second time on. */
const UNTIL_KEPT = 2;

type Asker = 'custodian' | 'non-custodian';

const CLIENTS = { custodian: 'hospital-a', 'non-custodian': 'research-institute' } as const;
const BASE = '/hospital-a/fhir';
const PERMUTATION_SEED = 20261122;

export function scenariosOf(options: ScenarioOptions): readonly Scenario[] {
  const all = scenariosOnce(options);
  return options.warm ? all.map((one) => (one.cold ? repeating(one) : one)) : all;
}

function repeating({ next, ...scenario }: Scenario): Scenario {
  let same: readonly LoadRequest[] | undefined;
  return {
    ...scenario,
    warmUps: UNTIL_KEPT,
    next() {
      same ??= next();
      return same;
    },
  };
}

function scenariosOnce({
  population,
  courses,
  pushes,
  bundles,
  requests,
}: Omit<ScenarioOptions, 'warm'>): readonly Scenario[] {
  const pushed = pushes();
  const ingest = (inFlight: number): Scenario => ({
    name: `ingest-${inFlight}`,
    unit: 'resource',
    inFlight,
    client: 'hospital-a',
    cold: false,
    warmUps: 1,
    needs: 'nothing',
    next: () => take(pushed, bundles).map(pushRequest),
  });
  const ids = permutation(population.ids);
  const searches = { 5: rotation(() => population.searches(5)), 50: rotation(() => population.searches(50)) };
  const by = (who: Asker) => {
    const common = {
      unit: 'request',
      inFlight: 16,
      client: CLIENTS[who],
      cold: true,
      warmUps: 1,
      needs: 'population',
    } as const;
    const search = (matches: 5 | 50, count: number): Scenario => ({
      ...common,
      name: `search-${matches}-${who}`,
      next: () => take(searches[matches], Math.max(1, count)).map((query) => searchRequest(query, matches)),
    });
    return [
      { ...common, name: `read-${who}`, next: () => take(ids, requests).map((id) => readRequest(population, id)) },
      search(5, requests >> 2),
      search(50, requests >> 4),
    ];
  };
  let created = 0;
  const create: Scenario = {
    name: 'create-16',
    unit: 'resource',
    inFlight: 16,
    client: 'hospital-a',
    cold: false,
    warmUps: 1,
    needs: 'nothing',
    next: () => Array.from({ length: Math.max(1, requests >> 1) }, () => createRequest(created++)),
  };
  const writes = [ingest(1), ingest(4), ingest(8), create];
  return [...writes, ...by('custodian'), ...by('non-custodian'), ...courseScenarios(courses, requests)];
}

/** How many times fewer than reads there are in a round, so that no round has to ask again what another has asked. */
const FEWER: Readonly<Record<Kind, number>> = {
  'search-sorted-5': 12,
  'search-sorted-50': 120,
  'search-encounters': 24,
  'search-patient': 8,
  'search-include': 12,
  'search-chain': 8,
  everything: 120,
};

function courseScenarios(courses: Courses, requests: number): readonly Scenario[] {
  return (Object.keys(FEWER) as Kind[]).flatMap((kind) =>
    (Object.keys(CLIENTS) as Asker[]).map((who): Scenario => {
      const questions = rotation(courses.questions[kind]);
      const unit = kind === 'everything' ? 'resource' : 'request';
      return {
        name: `${kind}-${who}`,
        unit,
        inFlight: 8,
        client: CLIENTS[who],
        cold: true,
        warmUps: 1,
        needs: 'courses',
        next: () =>
          take(questions, Math.max(1, Math.floor(requests / FEWER[kind]))).map((question) =>
            questionRequest(question, unit),
          ),
      };
    }),
  );
}

export function pushRequest({ body, entries }: Push): LoadRequest {
  return { method: 'POST', path: BASE, body, units: entries, wrong: unlessStatus(200) };
}

function createRequest(index: number): LoadRequest {
  const body = Buffer.from(JSON.stringify(newObservation(`single-${index % 500}`, index)));
  return { method: 'POST', path: `${BASE}/Observation`, body, units: 1, wrong: unlessStatus(201) };
}

function readRequest(population: Population, index: number): LoadRequest {
  const path = `${BASE}/Observation/${population.observationId(index)}`;
  return { method: 'GET', path, units: 1, wrong: unlessStatus(200) };
}

function searchRequest(query: string, matches: number): LoadRequest {
  return questionRequest({ path: query, entries: matches }, 'request');
}

export function questionRequest({ path, entries, ends }: Question, unit: Scenario['unit']): LoadRequest {
  return {
    method: 'GET',
    path: `${BASE}/${path}`,
    units: unit === 'resource' ? entries : 1,
    wrong(answer) {
      const wrong = unlessStatus(200)(answer);
      if (wrong !== undefined) return wrong;
      const found = countOf(answer.body, FULL_URL);
      if (found !== entries) return `${found} entries instead of ${entries}`;
      return ends === undefined ? undefined : unlessEnds(answer.body, ends);
    },
  };
}

const FULL_URL = '"fullUrl":"';

function unlessEnds(body: Buffer, ends: readonly [first: string, last: string]): string | undefined {
  const found = [body.indexOf(FULL_URL), body.lastIndexOf(FULL_URL)].map((at) => {
    const from = at + FULL_URL.length;
    return body.toString('latin1', from, body.indexOf('"', from));
  });
  const isRight = ends.every((end, index) => found[index]?.endsWith(`/${end}`));
  return isRight ? undefined : `from ${found.join(' to ')} instead of from ${ends.join(' to ')}`;
}

function countOf(body: Buffer, text: string): number {
  let count = 0;
  for (let at = body.indexOf(text); at >= 0; at = body.indexOf(text, at + text.length)) count++;
  return count;
}

/** Every number below `count` once, in an order that is always the same. */
export function* permutation(count: number): Generator<number> {
  const random = randomOf(PERMUTATION_SEED);
  const numbers = Uint32Array.from({ length: count }, (_, index) => index);
  for (let left = count; left > 0; left--) {
    const at = random.integer(left);
    yield numbers[at] ?? 0;
    numbers[at] = numbers[left - 1] ?? 0;
  }
}

/** Round and round: made and permuted once, when the first is asked for. */
function* rotation<T>(made: () => readonly T[]): Generator<T> {
  const items = made();
  const order = [...permutation(items.length)];
  for (;;) for (const index of order) yield items[index] as T;
}

function take<T>(items: Generator<T>, count: number): readonly T[] {
  const taken: T[] = [];
  while (taken.length < count) {
    const { value, done } = items.next();
    if (done) throw new Error(`Only ${taken.length} of ${count} are left`);
    taken.push(value);
  }
  return taken;
}
