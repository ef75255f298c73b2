import type { BenchNode } from './bench-node.ts';
import type { Courses } from './courses.ts';
import { drive, type LoadRequest, unlessStatus } from './load.ts';
import type { Population, Push } from './population.ts';
import { pushRequest } from './scenarios.ts';

const BASE = '/hospital-a/fhir';
const IN_FLIGHT = 4;
/** Transactions that are made, and lie in memory, at a time. */
const CHUNK = 50;

/** Pushes hospitals and practitioners, which the ingested patients' records refer to by conditions. */
export async function pushDirectory(node: BenchNode, directory: readonly Buffer[]): Promise<void> {
  const requests = directory.map((body): LoadRequest => {
    return { method: 'POST', path: BASE, body, units: 1, wrong: unlessStatus(200) };
  });
  await drive(node.origin(), requests, 1, node.token('hospital-a'));
}

/** Told of the share that is in, 0 to 1. */
type Progress = (share: number) => void;

/** Consents first, so that no record changes its readers. */
export async function pushPopulation(
  node: BenchNode,
  { consents, records, patients, ids }: Population,
  progress: Progress,
): Promise<void> {
  const push = pusher(node, 2 * patients + ids, progress);
  await push(consents(), 'practitioner:recorder');
  await push(records(), 'hospital-a');
  await node.settle();
}

export async function pushCourses(node: BenchNode, { pushes, entries }: Courses, progress: Progress): Promise<void> {
  await pusher(node, entries, progress)(pushes(), 'hospital-a');
  await node.settle();
}

function pusher(node: BenchNode, entries: number, progress: Progress) {
  let done = 0;
  return async (pushes: Iterable<Push>, client: string): Promise<void> => {
    for (const chunk of chunksOf(pushes, CHUNK)) {
      await drive(node.origin(), chunk.map(pushRequest), IN_FLIGHT, node.token(client));
      done += chunk.reduce((sum, push) => sum + push.entries, 0);
      progress(done / entries);
    }
  };
}

function* chunksOf<T>(items: Iterable<T>, size: number): Generator<readonly T[]> {
  let chunk: T[] = [];
  for (const item of items) {
    chunk.push(item);
    if (chunk.length === size) {
      yield chunk;
      chunk = [];
    }
  }
  if (chunk.length > 0) yield chunk;
}
