/**
 * `npm run bench:consented [-- --patients N] [--rounds N]`: what consent costs a search by code across patients. One hospital
 * has N patients, of whom one in ten permits the research institute in one of five shapes; another has a tenth of them, and
 * they are its own. The institute searches among the former, the other hospital among the latter: as many matches, the same
 * pages (docs/performance.md). Round by round in turn, so that what else the machine does meets both.
 */
import { parseArgs } from 'node:util';
import type { Consent, ConsentProvision, Observation, Patient, Resource } from '@medplum/fhirtypes';
import { type BenchNode, startBenchNode } from './bench-node.ts';
import { drive, type LoadRequest, unlessStatus } from './load.ts';
import { consentOf, inGroups, observationOf, patientOf, transaction } from './population.ts';
import { median, percentile } from './statistics.ts';

const GRANTEE = 'research-institute';
/** Of how many patients one consents. */
const SHARE = 10;
const MATCHES = 50;
const IN_FLIGHT = { writes: 4, searches: 4 };
const OPT_OUT = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTOUT' }] };

const { values } = parseArgs({
  options: { patients: { type: 'string', default: '100000' }, rounds: { type: 'string', default: '9' } },
});
const patients = Number(values.patients);
const consented = patients / SHARE;
const codes = consented / MATCHES;
if (!Number.isInteger(codes) || codes < 1) throw new Error(`--patients is a multiple of ${SHARE * MATCHES}`);

const node = await startBenchNode();
try {
  await fill(node);
  await node.restart();
  const rounds: (readonly [permitted: Round, own: Round])[] = [];
  const both = async (from: number, until: number): Promise<readonly [Round, Round]> => [
    await search(node, 'hospital-a', GRANTEE, from, until),
    await search(node, 'hospital-b', 'hospital-b', from, until),
  ];
  // A tenth for the compiler; the rest then finds none of its records and consents in a cache.
  await both(0, Math.ceil(codes / 10));
  rounds.push(await both(Math.ceil(codes / 10), codes));
  while (rounds.length <= Number(values.rounds)) rounds.push(await both(0, codes));
  const [cold, ...warm] = rounds;
  const ratios = warm.map(([permitted, own]) => permitted.p50 / own.p50);
  const line = (name: string, [permitted, own]: readonly [Round, Round]) =>
    process.stdout.write(
      `${name}: by consent ${shown(permitted)}; one’s own ${shown(own)}; ${(permitted.p50 / own.p50).toFixed(2)} times\n`,
    );
  process.stdout.write(
    `${patients} patients, ${consented} consented in five shapes; ${codes} searches of ${MATCHES} matches a round, ` +
      `${IN_FLIGHT.searches} in flight; p50 of a search and CPU of server and PostgreSQL\n`,
  );
  if (cold !== undefined) line('cold', cold);
  for (const [index, round] of warm.entries()) line(`round ${index + 1}`, round);
  process.stdout.write(`median of ${ratios.length} ratios: ${median(ratios).toFixed(2)}\n`);
} finally {
  await node.stop();
}

interface Round {
  /** Milliseconds. */
  readonly p50: number;
  /** µs a search. */
  readonly server: number;
  readonly postgres: number;
}

function shown({ p50, server, postgres }: Round): string {
  return `${p50.toFixed(1)} ms (${Math.round(server)} + ${Math.round(postgres)} µs)`;
}

/** Each of these codes once. */
async function search(
  one: BenchNode,
  institution: string,
  client: string,
  from: number,
  until: number,
): Promise<Round> {
  const before = one.usage();
  const requests = Array.from({ length: until - from }, (_, index): LoadRequest => {
    const code = from + index;
    const path = `/${institution}/fhir/Observation?code=http://loinc.org%7C${codeOf(code)}&_count=20&_total=none`;
    return { method: 'GET', path, units: 1, wrong: unlessPage };
  });
  const { latencies } = await drive(one.origin(), requests, IN_FLIGHT.searches, one.token(client));
  const after = one.usage();
  return {
    p50: percentile(latencies, 0.5),
    server: (after.server - before.server) / requests.length,
    postgres: (after.postgres - before.postgres) / requests.length,
  };
}

function unlessPage(answer: Parameters<LoadRequest['wrong']>[0]): string | undefined {
  const found = answer.body.toString().split('"fullUrl":').length - 1;
  return unlessStatus(200)(answer) ?? (found === 20 ? undefined : `${found} matches on a page instead of 20`);
}

async function fill(one: BenchNode): Promise<void> {
  const everyone = Array.from({ length: patients }, (_, patient) => patient);
  const some = Array.from({ length: consented }, (_, patient) => patient);
  const permitting = some.map((patient) => shapedConsent(patient * SHARE, patient));
  await write(one, 'hospital-a', 'practitioner:recorder', permitting);
  await write(
    one,
    'hospital-a',
    'hospital-a',
    everyone.flatMap((patient) => recordsOf(patient, Math.floor(patient / SHARE) % codes)),
  );
  await write(
    one,
    'hospital-b',
    'hospital-b',
    some.flatMap((patient) => recordsOf(patient, patient % codes)),
  );
  await one.settle();
}

async function write(one: BenchNode, institution: string, client: string, resources: readonly Resource[]) {
  for (const [index, chunk] of inGroups(resources, 5000).entries()) {
    const requests = inGroups(chunk, 100).map((group): LoadRequest => {
      const { body, entries } = transaction(group);
      return { method: 'POST', path: `/${institution}/fhir`, body, units: entries, wrong: unlessStatus(200) };
    });
    await drive(one.origin(), requests, IN_FLIGHT.writes, one.token(client));
    if (index % 4 === 0)
      process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${institution} ${5000 * index}\n`);
  }
}

function recordsOf(patient: number, code: number): readonly [Patient, Observation] {
  const id = `p-${patient}`;
  return [patientOf(id, patient), observationOf(`o-${patient}`, id, patient, codeOf(code))];
}

function codeOf(code: number): string {
  return `${10_000 + code}-${code % 10}`;
}

/** Five ways to permit the same institute to read Observations for research. */
function shapedConsent(patient: number, index: number): Consent {
  const consent = consentOf(`c-${patient}`, `p-${patient}`, GRANTEE);
  const { actor = [], purpose = [] } = consent.provision ?? {};
  const type = (code: string) => ({ system: 'http://hl7.org/fhir/resource-types', code });
  const never = { coding: [{ system: 'http://loinc.org', code: 'never' }] };
  const shapes: readonly ConsentProvision[] = [
    { type: 'permit', actor },
    { type: 'permit', actor, purpose, class: [type('Observation'), type('Patient')] },
    { type: 'deny', provision: [{ type: 'permit', actor, period: { start: '2020', end: '2099' } }] },
    { type: 'permit', actor, provision: [{ type: 'deny', code: [never] }] },
    { type: 'permit', actor, purpose, dataPeriod: { start: '2005' } },
  ];
  // Of each code some of each shape.
  const shape = shapes[Math.floor(index / codes) % shapes.length] as ConsentProvision;
  return { ...consent, policyRule: OPT_OUT, provision: shape };
}
