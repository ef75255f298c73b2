/** One client of a drill's workload: works on records of its own, step by step, and knows exactly what must be there. */
import assert from 'node:assert/strict';
import type { Bundle, BundleEntry, Encounter, Observation, Patient, Resource } from '@medplum/fhirtypes';
import { researchConsent } from '../../src/demo/consent.ts';
import type { FhirClient } from '../support/fhir-client.ts';
import type { Random } from '../support/seed.ts';
import { type Definite, settle } from './outcome.ts';

export interface ActorOptions {
  /** Unique among all drills on a node; a valid part of an id. */
  readonly name: string;
  readonly random: Random;
  readonly hospital: FhirClient;
  /** The patient's own client; undefined for an actor that writes no consents. */
  readonly patient: FhirClient | undefined;
  /** An institution that may read nothing but what the patient permits. */
  readonly outsider: FhirClient;
  /** Resolves when the server serves again. */
  readonly recovered: () => Promise<void>;
}

/** A version as it must be: the marker that its content bears, or a deletion. */
type Expected = string | 'deleted';

export interface Actor {
  /** Some steps, each settled before the next. */
  round(): Promise<void>;
  /**
   * What must hold although a step is still open: its Bundle is there in full or not at all, and nobody reads what is
   * there without a consent.
   */
  checkOpen(): Promise<void>;
  /** Reads everything back. */
  check(): Promise<void>;
}

/** The system of the tags that tell which write a version is of. */
export const MARKER = 'urn:medseal:drill';
const BUNDLE_OBSERVATIONS = 3;

export function createActor(options: ActorOptions): Actor {
  const { name, random, hospital, patient, outsider, recovered } = options;
  /** The versions of each resource, oldest first. */
  const expected = new Map<string, Expected[]>();
  let markers = 0;
  let openBundle: string | undefined;
  let consented = false;

  const newMarker = (): string => `${name}-${++markers}`;
  const versionsOf = (path: string): Expected[] => {
    const known = expected.get(path) ?? [];
    expected.set(path, known);
    return known;
  };
  const send = (client: FhirClient, method: string, path: string, body?: object, headers = {}): Promise<Definite> =>
    settle(client, method, path, { headers, ...(body === undefined ? {} : { body }) }, recovered);
  const key = (marker: string) => ({ 'idempotency-key': marker });

  async function putPatient(id: string, ifMatch?: number): Promise<Definite> {
    const marker = newMarker();
    const headers = { ...key(marker), ...(ifMatch === undefined ? {} : { 'if-match': `W/"${ifMatch}"` }) };
    const settled = await send(hospital, 'PUT', `Patient/${id}`, patientOf(id, marker), headers);
    if (settled.status < 300) versionsOf(`Patient/${id}`).push(marker);
    return settled;
  }

  /** Two at once on the same version: one wins. */
  async function race(id: string): Promise<void> {
    const version = versionsOf(`Patient/${id}`).length;
    const statuses = (await Promise.all([putPatient(id, version), putPatient(id, version)])).map(
      ({ status }) => status,
    );
    assert.deepEqual(statuses.toSorted(), [200, 412], `${name}: of two updates of one version one wins`);
  }

  /** By nature: the same content again makes no version. */
  async function putWithoutKey(id: string): Promise<void> {
    const marker = newMarker();
    const { status } = await send(hospital, 'PUT', `Encounter/${id}`, encounterOf(id, name, marker));
    assert.ok(status < 300, `PUT Encounter: ${status}`);
    versionsOf(`Encounter/${id}`).push(marker);
  }

  async function post(): Promise<string> {
    const marker = newMarker();
    const { status, answer } = await send(hospital, 'POST', 'Observation', observationOf(name, marker), key(marker));
    assert.equal(status, 201, answer.text);
    const path = pathOf(answer.headers.location);
    versionsOf(path).push(marker);
    return path;
  }

  async function createOnce(): Promise<void> {
    const marker = newMarker();
    const headers = { 'if-none-exist': `_tag=${MARKER}|${marker}` };
    const { status, answer } = await send(hospital, 'POST', 'Observation', observationOf(name, marker), headers);
    assert.ok(status === 201 || status === 200, answer.text);
    versionsOf(status === 201 ? pathOf(answer.headers.location) : await findOnly(marker)).push(marker);
  }

  /** A create that had been carried out before is answered without saying where. */
  async function findOnly(marker: string): Promise<string> {
    const { answer } = await send(hospital, 'GET', `Observation?_tag=${MARKER}|${marker}`);
    const { entry = [] } = answer.json<Bundle>();
    assert.equal(entry.length, 1, `${marker}: it is there once`);
    return `Observation/${entry[0]?.resource?.id}`;
  }

  async function transaction(): Promise<void> {
    const marker = newMarker();
    openBundle = marker;
    const { status, answer } = await send(hospital, 'POST', '', bundleOf(name, marker), key(marker));
    assert.equal(status, 200, answer.text);
    openBundle = undefined;
    const { entry = [] } = answer.json<Bundle>();
    for (const { response } of entry) versionsOf(pathOf(response?.location)).push(marker);
  }

  async function remove(path: string): Promise<void> {
    const { status, answer } = await send(hospital, 'DELETE', path, undefined, key(newMarker()));
    assert.equal(status, 204, answer.text);
    versionsOf(path).push('deleted');
  }

  async function consent(status: 'active' | 'inactive'): Promise<void> {
    if (patient === undefined) return;
    const marker = newMarker();
    const body = marked(researchConsent(name, name, status, '2026-11-01T00:00:00Z'), marker);
    const settled = await send(patient, 'PUT', `Consent/${name}`, body, key(marker));
    assert.ok(settled.status < 300, settled.answer.text);
    versionsOf(`Consent/${name}`).push(marker);
    consented = status === 'active';
    await checkOutsider();
  }

  /** What is permitted now, and nothing else. */
  async function checkOutsider(): Promise<void> {
    const readable = consented ? 200 : 404;
    const { status } = await send(outsider, 'GET', `Patient/${name}`);
    assert.equal(status, readable, `${name}: an outsider reads the patient`);
    for (const path of [`Encounter/${name}-e`, `Consent/${name}`]) {
      assert.equal((await send(outsider, 'GET', path)).status, 404, `${name}: an outsider reads ${path}`);
    }
  }

  async function checkOpen(): Promise<void> {
    if (patient === undefined) await checkOutsider();
    if (openBundle === undefined) return;
    const query = `_tag=${MARKER}|${openBundle}&_summary=count`;
    const counts = ['Observation', 'Encounter'].map(async (type) => {
      const { answer } = await send(hospital, 'GET', `${type}?${query}`);
      return answer.json<Bundle>().total;
    });
    const [observations, encounters] = await Promise.all(counts);
    const all = observations === BUNDLE_OBSERVATIONS && encounters === 1;
    assert.ok(all || (observations === 0 && encounters === 0), `${openBundle}: ${observations} and ${encounters}`);
  }

  async function checkHistory(path: string, versions: readonly Expected[]): Promise<void> {
    const { answer } = await send(hospital, 'GET', `${path}/_history?_count=100`);
    const { entry = [] } = answer.json<Bundle>();
    const found = entry.toReversed().map((one) => ({ etag: one.response?.etag, marker: markerOf(one) }));
    assert.deepEqual(
      found,
      versions.map((marker, index) => ({ etag: `W/"${index + 1}"`, marker })),
      `the history of ${path}`,
    );
  }

  return {
    async round() {
      if (!expected.has(`Patient/${name}`)) await putPatient(name);
      // A key of its own each time.
      await putPatient(`${name}-${markers}`);
      const path = await post();
      await Promise.all([transaction(), createOnce()]);
      const steps = [
        () => putWithoutKey(`${name}-e`),
        () => race(name),
        () => remove(path),
        () => transaction(),
        () => consent('active'),
      ];
      while (steps.length > 0) await steps.splice(random.integer(steps.length), 1)[0]?.();
      await consent('inactive');
    },
    checkOpen,
    async check() {
      for (const [path, versions] of expected) await checkHistory(path, versions);
      await checkOutsider();
    },
  };
}

function marked<T extends Resource>(resource: T, marker: string): T {
  return { ...resource, meta: { tag: [{ system: MARKER, code: marker }] } };
}

function markerOf({ resource, request }: BundleEntry): Expected {
  if (request?.method === 'DELETE') return 'deleted';
  return resource?.meta?.tag?.find(({ system }) => system === MARKER)?.code ?? 'none';
}

function patientOf(id: string, marker: string): Patient {
  return marked({ resourceType: 'Patient', id, name: [{ family: marker }] }, marker);
}

function encounterOf(id: string, patient: string, marker: string): Encounter {
  const status = { status: 'finished', class: { code: 'AMB' } } as const;
  return marked({ resourceType: 'Encounter', id, ...status, subject: { reference: `Patient/${patient}` } }, marker);
}

function observationOf(patient: string, marker: string): Observation {
  const code = { coding: [{ system: 'http://loinc.org', code: '718-7' }] };
  return marked(
    { resourceType: 'Observation', status: 'final', code, subject: { reference: `Patient/${patient}` } },
    marker,
  );
}

function bundleOf(patient: string, marker: string): Bundle {
  const encounter = `${marker}-visit`;
  const observations = Array.from(
    { length: BUNDLE_OBSERVATIONS },
    (): BundleEntry => ({
      resource: { ...observationOf(patient, marker), encounter: { reference: `Encounter/${encounter}` } },
      request: { method: 'POST', url: 'Observation' },
    }),
  );
  const visit: BundleEntry = {
    resource: encounterOf(encounter, patient, marker),
    request: { method: 'PUT', url: `Encounter/${encounter}` },
  };
  return { resourceType: 'Bundle', type: 'transaction', entry: [...observations, visit] };
}

/** `Type/id` of a Location or of an entry's response. */
function pathOf(location: string | undefined): string {
  const found = /([A-Z][A-Za-z]+\/[A-Za-z0-9.-]+)\/_history\//.exec(location ?? '')?.[1];
  assert.ok(found !== undefined, `a location: ${location}`);
  return found;
}
