import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Patient } from '@medplum/fhirtypes';
import { administer, callAdministration, connect } from '../../src/cli/connection.ts';
import { jsonLines } from '../../src/cli/json-lines.ts';
import { clientOf } from '../faults/node-records.ts';
import { untilAnchored } from '../faults/records-database.ts';
import { ANNA, BERT, cohort, consentOf, IDENTIFIERS, putCohort, recipient } from '../main-job/cohort.ts';
import { OTHER } from '../rest/target.ts';
import type { FhirClient } from '../support/fhir-client.ts';
import { putParameter, searchParameter, untilIndexed } from '../support/search-parameters.ts';
import { addClient } from '../support/server-process.ts';
import type { TestNode } from '../support/test-node.ts';

const REST = fileURLToPath(new URL('../rest/rest.test.ts', import.meta.url));

/** Everything that a node is asked in its life, so that it sends every statement that it has. */
export async function doMainJob(node: TestNode): Promise<void> {
  await restSuite(node);
  const hospital = clientOf(node, 'hospital-a');
  await putCohort(hospital, cohort());
  await putParameter(hospital, searchParameter('marital-status', {}));
  await untilIndexed(hospital);
  await sent(hospital.post('$reindex', { resourceType: 'Parameters' }));
  await untilIndexed(hospital);
  const consent = consentOf(ANNA, { type: 'permit', actor: [recipient('research-institute')] });
  const patient = clientOf(node, `patient:${ANNA}`);
  await sent(patient.put('Consent/mine', { ...consent, id: 'mine' }));
  await sent(hospital.put('Binary/large', largeBinary()));
  for (const who of ['hospital-a', 'hospital-b', 'research-institute', `patient:${ANNA}`])
    await askEverything(node, who);
  const other = (await hospital.get(`Patient/${BERT}`)).json<Patient>();
  const link = [{ other: { reference: `Patient/${ANNA}` }, type: 'replaced-by' as const }];
  await sent(hospital.put(`Patient/${BERT}`, { ...other, link }));
  await sent(patient.put('Consent/mine', { ...consent, id: 'mine', dateTime: '2026-02-02' }));
  await sent(patient.get(`Observation/hb-2021-${ANNA}/$explain-access`));
  await sent(patient.put('Consent/mine', { ...consent, id: 'mine', status: 'inactive' }));
  await sent(patient.delete('Consent/mine'));
  await sent(hospital.delete('SearchParameter/marital-status'));
  await untilAnchored(node);
  assert.equal((await fetch(`${node.url}/metrics`)).status, 200);
  await sent(hospital.get(`Patient/${ANNA}/_history/1/$evidence`));
  await sent(hospital.get('Binary/large'));
  await administrate(node);
}

async function restSuite(node: TestNode): Promise<void> {
  await addClient(connect(node.dataDirectory), OTHER);
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  const env = {
    ...environment,
    MEDSEAL_REST_BASE: `${node.url}/hospital-a/fhir`,
    MEDSEAL_REST_TOKEN: await node.token('hospital-a'),
    MEDSEAL_REST_OTHER_TOKEN: await node.token(OTHER.id),
  };
  const child = spawn(process.execPath, ['--test', REST], { env });
  const [output, , [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  assert.equal(code, 0, output.slice(-5000));
}

const QUESTIONS: readonly string[] = [
  'metadata',
  `Patient/${ANNA}`,
  `Patient/${ANNA}/_history`,
  `Patient/${ANNA}/_history/1`,
  'Patient/_history?_since=2020-01-01T00:00:00Z&_count=2',
  '_history?_count=3',
  'Patient?_id=x,y',
  'Patient?marital-status=M&_sort=marital-status',
  `Patient?identifier=${IDENTIFIERS}|110101${ANNA}`,
  'Patient?family=family&birthdate=1980&_sort=-birthdate&_count=1',
  'Patient?family:exact=x&_total=accurate',
  'Patient?_has:Observation:patient:code=718-7',
  'Patient?_lastUpdated=ge2020&_count=1',
  'Patient?gender:missing=false&_summary=count',
  `Observation?patient=Patient/${ANNA}&code=http://loinc.org|718-7&date=ge2021-01-01`,
  'Observation?patient.family=family&_sort=date',
  'Observation?code:not=718-7&_count=5',
  'Observation?_tag=a|b&_profile=http://example.org/p',
  `Observation?patient=Patient/${ANNA}&_include=*&_revinclude=*`,
  'Patient?_count=2&_revinclude=Observation:patient&_include:iterate=Observation:performer',
  `Patient/${ANNA}/Observation?_sort=date`,
  `Patient/${ANNA}/*?_count=2`,
  '?_type=Patient,Observation&_lastUpdated=ge2020&_count=2',
  '?_id=x,y',
  '?_tag=a|b&_sort=-_lastUpdated',
  'Observation?_list=x',
  'Observation?patient.organization.name=x',
  'Observation?patient.family:contains=amily',
  'Observation?encounter.patient.gender=female&_count=3',
  'Patient?_has:Encounter:patient:_has:Observation:encounter:code=718-7',
  'Observation?value-quantity=gt5|http://unitsofmeasure.org|g/L&_count=2',
  'Observation?code-value-quantity=718-7$gt5',
  'Patient?family:contains=amily&_total=accurate&_count=1',
  'Observation?code:text=hemo',
  'ValueSet?url:below=http://example.org&_sort=url',
  'ValueSet?url:above=http://example.org/a/b',
  'Patient?gender:in=http://hl7.org/fhir/ValueSet/administrative-gender&_count=2',
  '?_type=Patient,Observation,Encounter&_sort=-_lastUpdated&_count=3',
  'Condition?code:below=http://hl7.org/fhir/sid/icd-10|E11',
  'Provenance?target=Patient/x',
  'Provenance?_count=2',
  'AuditEvent?_count=2',
  `AuditEvent?patient=Patient/${ANNA}`,
  'AuditEvent?date=ge2020-01-01&_count=1',
];

/** As one client, at the base and at the union, to the end of its pages. Refusals count too. */
async function askEverything(node: TestNode, who: string): Promise<void> {
  const base = clientOf(node, who);
  for (const client of [base, base.at(`${node.url}/fhir`)]) {
    for (const question of QUESTIONS) await follow(client, question);
  }
}

async function follow(client: FhirClient, path: string): Promise<void> {
  const answer = await client.get(path);
  assert.ok(answer.status < 500, `${path}: ${answer.text}`);
  if (answer.status !== 200) return;
  const { link = [] } = answer.json<{ link?: readonly { relation: string; url: string }[] }>();
  const next = link.find(({ relation }) => relation === 'next')?.url;
  if (next !== undefined) await sent(client.get(next.slice(new URL(next).origin.length)));
}

async function administrate(node: TestNode): Promise<void> {
  const connection = connect(node.dataDirectory);
  await administer(connection, 'GET', '/admin/institutions');
  await administer(connection, 'GET', '/admin/clients');
  for (const [path, body] of [
    ['/admin/access/drop', { before: new Date(Date.now() - 1000).toISOString(), reason: 'retention' }],
    ['/admin/scrub', { sweep: true }],
    ['/admin/rebuild', undefined],
  ] as const) {
    const response = await callAdministration(connection, 'POST', path, body);
    let last: object | undefined;
    for await (const line of jsonLines<object>(response)) last = line;
    assert.equal((last as { event?: string } | undefined)?.event, 'summary', JSON.stringify(last));
  }
}

/** Longer than what comes with its row, and than a segment. */
function largeBinary(): object {
  const data = Buffer.alloc(900_000, 7).toString('base64');
  return { resourceType: 'Binary', id: 'large', contentType: 'application/octet-stream', data };
}

async function sent(answer: Promise<{ readonly status: number; readonly text: string }>): Promise<void> {
  const { status, text: body } = await answer;
  assert.ok(status >= 200 && status < 300, `${status} ${body}`);
}
