/**
 * `npm run bench:worst [-- --patients N] [--rounds N] [--seconds N]`: what the worst searches that are allowed do to everybody
 * else. Reads and searches of four clients, each with a pause between its requests, are measured alone, beside one client
 * that asks a worst search again and again, and beside four (docs/performance.md). In turn, round by round, so that what
 * else the machine does meets all three.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Resource } from '@medplum/fhirtypes';
import { type BenchNode, startBenchNode } from './bench-node.ts';
import { openConnection } from './http-connection.ts';
import { drive, type LoadRequest, unlessStatus } from './load.ts';
import { inGroups, observationOf, patientOf, transaction } from './population.ts';
import { median, percentile } from './statistics.ts';

const CLIENTS = 4;
/** Between an answer and the next request, milliseconds. */
const PAUSE = 10;
const OBSERVATIONS = 2;
/** Whose compartment is large. */
const LARGE = 'p-large';
const BASE = '/hospital-a/fhir';

const { values } = parseArgs({
  options: {
    // Just below what one answer may open.
    patients: { type: 'string', default: '4400' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    only: { type: 'string' },
  },
});
const patients = Number(values.patients);
const seconds = Number(values.seconds);

/** Each opens, sorts or includes as much as is allowed. */
const ALL_WORST: Readonly<Record<string, string>> = {
  contains: 'Patient?name:contains=ily&_summary=count',
  'contains, none found': 'Observation?code:text=nothing-like-it&_count=1000',
  'quantity, counted': 'Observation?value-quantity=gt1.03&_total=accurate&_count=1000',
  sort: 'Observation?_sort=-date,value-quantity&_count=1000',
  'nested _has': 'Patient?_has:Observation:subject:value-quantity=gt1.03&_sort=birthdate&_count=1000',
  'include all': 'Observation?_count=1000&_include=*&_include:iterate=*&_revinclude:iterate=Observation:subject',
  everything: `Patient/${LARGE}/$everything?_count=1000`,
  'not, counted': 'Observation?code:not=http://loinc.org%7C1,http://loinc.org%7C2&_summary=count',
};
const worst = Object.entries(ALL_WORST).filter(([name]) => values.only === undefined || name.includes(values.only));

interface Measured {
  readonly p50: number;
  readonly p99: number;
}

interface Beside {
  readonly ordinary: Measured;
  /** Milliseconds of the slowest worst search, and how its searches were answered. */
  readonly slowest: number;
  readonly statuses: ReadonlySet<string>;
}

const node = await startBenchNode();
try {
  await fill(node);
  await ordinary(node, seconds);
  process.stdout.write(
    `${patients} patients, ${CLIENTS} clients with pauses of ${PAUSE} ms, ${values.rounds} rounds of ${seconds} s each; ` +
      'milliseconds alone, beside one worst search, beside four; medians, and of the ratios\n',
  );
  const ratios: (readonly [one: number, four: number])[] = [];
  for (const [name, query] of worst) {
    const rounds: (readonly [Measured, Beside, Beside])[] = [];
    for (let round = 0; round < Number(values.rounds); round++)
      rounds.push([await ordinary(node, seconds), await beside(node, query, 1), await beside(node, query, 4)]);
    const of = (which: (round: readonly [Measured, Beside, Beside]) => number) => median(rounds.map(which));
    const one = of(([alone, besideOne]) => besideOne.ordinary.p99 / alone.p99);
    const four = of(([alone, , besideFour]) => besideFour.ordinary.p99 / alone.p99);
    ratios.push([one, four]);
    const shown = (which: 'p50' | 'p99') =>
      [
        of(([alone]) => alone[which]),
        of(([, besideOne]) => besideOne.ordinary[which]),
        of(([, , besideFour]) => besideFour.ordinary[which]),
      ]
        .map((value) => value.toFixed(1))
        .join(' / ');
    const slowest = of(([, besideOne]) => besideOne.slowest);
    const slowestOfFour = of(([, , besideFour]) => besideFour.slowest);
    const statuses = new Set(rounds.flatMap(([, a, b]) => [...a.statuses, ...b.statuses]));
    process.stdout.write(
      `${name}: p50 ${shown('p50')}; p99 ${shown('p99')}; ratios ${one.toFixed(2)}, ${four.toFixed(2)}; ` +
        `it took ${slowest.toFixed(0)}, ${slowestOfFour.toFixed(0)} ms, answered ${[...statuses].join(' ')}\n`,
    );
  }
  process.stdout.write(
    `medians of the ratios: beside one ${median(ratios.map(([one]) => one)).toFixed(2)}, ` +
      `beside four ${median(ratios.map(([, four]) => four)).toFixed(2)}\n`,
  );
} finally {
  await node.stop();
}

async function beside(one: BenchNode, query: string, times: number): Promise<Beside> {
  let over = false;
  let slowest = 0;
  const statuses = new Set<string>();
  const asking = Array.from({ length: times }, async () => {
    const connection = await openConnection(one.origin());
    while (!over) {
      const sent = performance.now();
      const { status, body } = await connection.send(
        { method: 'GET', path: `${BASE}/${query}` },
        await one.token('hospital-a')(),
      );
      slowest = Math.max(slowest, performance.now() - sent);
      statuses.add(status === 200 ? '200' : `${status} ${body.toString('utf8', 0, 300)}`);
    }
    connection.close();
  });
  const measured = await ordinary(one, seconds);
  over = true;
  await Promise.all(asking);
  return { ordinary: measured, slowest, statuses };
}

/** Reads and searches by patient, in turn. */
async function ordinary(one: BenchNode, duration: number): Promise<Measured> {
  const until = performance.now() + duration * 1000;
  const latencies: number[] = [];
  const clients = Array.from({ length: CLIENTS }, async (_, client) => {
    const connection = await openConnection(one.origin());
    for (let sent = 0; sent === 0 || performance.now() < until; sent++) {
      const patient = (client * 1217 + sent * 31) % patients;
      const path =
        sent % 2 === 0 ? `${BASE}/Patient/p-${patient}` : `${BASE}/Observation?patient=Patient/p-${patient}&_count=20`;
      const token = await one.token('hospital-a')();
      const began = performance.now();
      const { status } = await connection.send({ method: 'GET', path }, token);
      latencies.push(performance.now() - began);
      if (status !== 200) throw new Error(`${path}: ${status}`);
      await delay(PAUSE);
    }
    connection.close();
  });
  await Promise.all(clients);
  latencies.sort((a, b) => a - b);
  return { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
}

async function fill(one: BenchNode): Promise<void> {
  const resources = [
    ...Array.from({ length: patients }, (_, patient) => recordsOf(`p-${patient}`, patient, OBSERVATIONS)).flat(),
    ...recordsOf(LARGE, patients, Math.min(1000, patients)),
  ];
  const requests = inGroups(resources, 100).map((group): LoadRequest => {
    const { body, entries } = transaction(group);
    return { method: 'POST', path: BASE, body, units: entries, wrong: unlessStatus(200) };
  });
  await drive(one.origin(), requests, CLIENTS, one.token('hospital-a'));
  await one.settle();
}

function recordsOf(id: string, number: number, observations: number): readonly Resource[] {
  return [
    patientOf(id, number),
    ...Array.from({ length: observations }, (_, index) =>
      observationOf(`o-${id}-${index}`, id, number * OBSERVATIONS + index, `${10_000 + (number % 97)}-1`),
    ),
  ];
}
