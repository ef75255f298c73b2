import { randomOf } from '../support/seed.ts';
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
  /** Whether the population must be there. */
  readonly populated: boolean;
  /** The requests of the next round; none of them was sent before. */
  readonly next: () => readonly LoadRequest[];
}

export interface ScenarioOptions {
  readonly population: Population;
  readonly pushes: () => Generator<Push>;
  /** Transactions a round of ingest, and reads a round. */
  readonly bundles: number;
  readonly requests: number;
}

const BASE = '/hospital-a/fhir';
const PERMUTATION_SEED = 20261122;

export function scenariosOf({ population, pushes, bundles, requests }: ScenarioOptions): readonly Scenario[] {
  const pushed = pushes();
  const ingest = (inFlight: number): Scenario => ({
    name: `ingest-${inFlight}`,
    unit: 'resource',
    inFlight,
    client: 'hospital-a',
    cold: false,
    populated: false,
    next: () => take(pushed, bundles).map(pushRequest),
  });
  const ids = permutation(population.ids);
  const searches = { 5: rotation(population.searches(5)), 50: rotation(population.searches(50)) };
  const by = (who: 'custodian' | 'non-custodian') => {
    const common = {
      unit: 'request',
      inFlight: 16,
      client: who === 'custodian' ? 'hospital-a' : 'research-institute',
      cold: true,
      populated: true,
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
    populated: false,
    next: () => Array.from({ length: Math.max(1, requests >> 1) }, () => createRequest(created++)),
  };
  return [ingest(1), ingest(4), ingest(8), create, ...by('custodian'), ...by('non-custodian')];
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
  return {
    method: 'GET',
    path: `${BASE}/${query}`,
    units: 1,
    wrong(answer) {
      const found = countOf(answer.body, '"fullUrl":');
      return unlessStatus(200)(answer) ?? (found === matches ? undefined : `${found} matches instead of ${matches}`);
    },
  };
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

/** Round and round: permuted once. */
function* rotation<T>(items: readonly T[]): Generator<T> {
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
