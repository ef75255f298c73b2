import assert from 'node:assert/strict';
import type { OperationOutcome, Resource } from '@medplum/fhirtypes';
import { callAdministration, connect } from '../../src/cli/connection.ts';
import { researchConsent } from '../../src/demo/consent.ts';
import { clientOf } from '../faults/node-records.ts';
import type { FhirClient } from '../support/fhir-client.ts';
import { hl7Examples } from '../support/sample-data.ts';
import { putParameter, searchParameter, untilIndexed } from '../support/search-parameters.ts';
import type { TestNode } from '../support/test-node.ts';
import { createPlanter, MARKER, NUMBER, type Planter, plant } from './plant.ts';

/** What lies on the server now. */
export interface Planted {
  readonly marks: readonly string[];
  /** `Type/id` of each resource. */
  readonly paths: readonly string[];
  readonly types: ReadonlySet<string>;
}

/** Refusals after which a resource is given up. */
const ATTEMPTS = 25;

/** One of HL7's examples of every type, with planted texts in all places that the server takes them in. */
export async function plantEverywhere(client: FhirClient): Promise<Planted> {
  const planter = createPlanter();
  const paths: string[] = [];
  const types = new Set<string>();
  for (const example of examples()) {
    const { resourceType } = example;
    if (types.has(resourceType)) continue;
    const path = await putPlanted(client, planter, example);
    if (path === undefined) continue;
    types.add(resourceType);
    paths.push(path);
  }
  return { marks: planter.marks, paths, types };
}

function* examples(): Generator<Resource> {
  for (const { bytes } of hl7Examples()) {
    if (bytes.length < LARGE) yield JSON.parse(Buffer.from(bytes).toString('utf8')) as Resource;
  }
  yield* WITHOUT_EXAMPLES as unknown as readonly Resource[];
}

/** Bytes; there are enough smaller ones. */
const LARGE = 60_000;
/** HL7 has none of these that is valid and stands alone. */
const WITHOUT_EXAMPLES: readonly object[] = [
  {
    resourceType: 'Composition',
    status: 'final',
    type: { text: 'a' },
    date: '2026-01-01',
    author: [{ display: 'a' }],
    title: 'a',
    section: [{ title: 'a', code: { coding: [{ system: 'urn:a', code: 'a', display: 'a' }] } }],
  },
  { resourceType: 'DeviceMetric', type: { text: 'a' }, category: 'measurement' },
  {
    resourceType: 'DeviceUseStatement',
    status: 'active',
    subject: { display: 'a' },
    device: { display: 'a' },
    note: [{ text: 'a' }],
  },
  ...['NucleicAcid', 'Polymer', 'Protein', 'ReferenceInformation', 'SourceMaterial'].map((kind) => ({
    resourceType: `Substance${kind}`,
    extension: [{ url: 'http://example.org/a', valueString: 'a' }],
  })),
];

/** What the server refuses to have another value stays as HL7 wrote it. */
async function putPlanted(client: FhirClient, planter: Planter, example: Resource): Promise<string | undefined> {
  const kept = new Set<string>();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const resource = plant(example, planter, kept);
    const path = `${resource.resourceType}/${resource.id}`;
    const answer = await client.put(path, resource);
    if (answer.status < 300) return path;
    const { issue } = answer.json<OperationOutcome>();
    const named = issue.flatMap(({ expression = [] }) => expression);
    if (answer.status >= 500 || named.length === 0) return undefined;
    for (const one of named) kept.add(one);
  }
  return undefined;
}

/** Reads, searches, refusals, a consent, another institution, the operator's commands: all with planted texts. */
export async function useEverything(node: TestNode, { paths, marks }: Planted): Promise<void> {
  const hospital = clientOf(node, 'hospital-a');
  const outsider = clientOf(node, 'research-institute');
  for (const path of paths) {
    for (const route of ['', '/_history', '/_history/1']) {
      assert.equal((await hospital.get(`${path}${route}`)).status, 200, path);
      const { status, text } = await outsider.get(`${path}${route}`);
      if (status === 200) continue; // of the directory, which needs only the scope
      assert.equal(status, 404);
      assert.ok(!text.includes(MARKER), `an outsider is told ${text}`);
    }
  }
  await search(hospital, marks);
  await customParameter(hospital, marks);
  await refusals(hospital, marks);
  const patient = paths.find((path) => path.startsWith('Patient/'))?.slice('Patient/'.length) ?? '';
  const self = clientOf(node, `patient:${patient}`);
  const consent = researchConsent(MARKER, patient, 'active', '2026-01-01T00:00:00Z');
  assert.equal((await self.put(`Consent/${MARKER}`, consent)).status, 201);
  assert.equal((await outsider.get(`Patient/${patient}`)).status, 200);
  assert.equal((await self.get('AuditEvent?_count=50')).status, 200);
  assert.equal((await self.delete(`Consent/${MARKER}`)).status, 204);
  await hospital.delete(paths.find((path) => path.startsWith('Condition/')) ?? '');
  const response = await callAdministration(connect(node.dataDirectory), 'POST', '/admin/scrub', {});
  assert.ok(!(await response.text()).includes(MARKER));
}

/** One with planted texts wherever it may have them, indexed for and searched by, and one that is refused. */
async function customParameter(client: FhirClient, [one = '', two = '']: readonly string[]): Promise<void> {
  const expression = `Patient.extension('http://${one}.example/x').value`;
  const more = { url: `http://${two}.example/x`, name: one, description: two, expression };
  await putParameter(client, searchParameter(MARKER, more));
  const refused = searchParameter(`${MARKER}2`, { ...more, expression: `Patient.${one}` });
  assert.equal((await client.put(`SearchParameter/${MARKER}2`, refused)).status, 422);
  await untilIndexed(client);
  assert.equal((await client.get(`Patient?${MARKER}=${one}`)).status, 200);
  assert.equal((await client.get(`Patient?${MARKER}2=${one}`)).status, 400);
}

async function search(client: FhirClient, marks: readonly string[]): Promise<void> {
  const [one = '', two = ''] = marks;
  for (const query of [
    `Patient?family=${one}&identifier=${two}|${one}`,
    `Patient?name:exact=${one}&_sort=family`,
    `Observation?patient.family=${two}&code=${one}`,
    `Patient?_has:Observation:patient:code=${one}`,
    `Observation?_tag=${one}|${two}&_profile=${one}`,
    `Observation?value-quantity=${NUMBER}`,
    `Encounter?subject=Patient/${one}`,
    `Patient?_id=${one},${two}&_summary=count`,
  ]) {
    const { status } = await client.get(query);
    assert.ok(status < 500, query);
    const [type = '', form = ''] = query.split('?');
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    assert.ok((await client.post(`${type}/_search`, form, headers)).status < 500);
  }
}

/** Each names what it refuses, or is thrown somewhere deep. */
async function refusals(client: FhirClient, [mark = '']: readonly string[]): Promise<void> {
  const patient = { resourceType: 'Patient', id: mark, name: [{ family: mark }] };
  const bodies: (object | string)[] = [
    `{"resourceType":"Patient","name":[{"family":"${mark}"`,
    `{"resourceType":"Patient","${mark}":"${mark}","${mark}":1}`,
    { ...patient, [mark]: mark },
    { ...patient, birthDate: mark },
    { ...patient, contact: mark },
    { resourceType: mark, id: mark },
    {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [{ resource: patient, request: { method: mark, url: mark } }],
    },
    { resourceType: 'Observation', id: mark, status: 'final', code: {}, subject: { reference: `urn:uuid:${mark}` } },
  ];
  for (const body of bodies) {
    for (const path of ['', 'Patient', `Patient/${mark}`]) {
      const answer = path === '' || path === 'Patient' ? await client.post(path, body) : await client.put(path, body);
      assert.ok(answer.status >= 400 && answer.status < 500, `${path} ${JSON.stringify(body)}: ${answer.text}`);
    }
  }
  for (const path of [
    mark,
    `${mark}/${mark}`,
    `Patient/${mark}/_history/${mark}`,
    `Patient?${mark}=${mark}`,
    `Patient?birthdate=${mark}`,
  ]) {
    assert.ok((await client.get(path, { 'x-request-id': mark, 'if-none-match': mark })).status < 500);
  }
  await client.put(`Patient/${mark}0`, { ...patient, id: `${mark}0` }, { 'if-match': mark, 'idempotency-key': mark });
}
