/** Every route of openapi.json as every kind of principal: what is answered, and that it is in the access trail. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import type { AuditEvent, Bundle } from '@medplum/fhirtypes';
import { type Answer, type FhirClient, fhirClient, type Message } from '../support/fhir-client.ts';
import { until } from '../support/until.ts';
import { ANNA, BERT, cohort, putCohort } from './cohort.ts';
import { startWorld } from './world.ts';

const PRINCIPALS = [
  'none',
  'wrong',
  'hospital-a',
  'hospital-b',
  'research',
  'patient',
  'practitioner',
  'operator',
] as const;
type Principal = (typeof PRINCIPALS)[number];

/** What is sent to one operation, and the status for each principal, in the order of PRINCIPALS. */
interface Row {
  readonly path: string | (() => string);
  readonly message?: Message | (() => Message);
  readonly statuses: readonly number[];
  /** How many of the cohort's records the answer shows, where it is a Bundle. */
  readonly shown?: readonly number[];
}

const OPEN = PRINCIPALS.map(() => 200);
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const ADMINISTRATION = (status: number) => [401, 401, 403, 403, 403, 403, 403, status];
const OBSERVATION = `hb-2021-${ANNA}`;
const BASE = '/hospital-a/fhir';
const PATIENT = { resourceType: 'Patient' };
const PARAMETERS = { resourceType: 'Parameters' };
const META = { ...PARAMETERS, parameter: [{ name: 'meta', valueMeta: { tag: [{ code: 'x' }] } }] };
const PATCH = {
  body: JSON.stringify([{ op: 'add', path: '/active', value: true }]),
  headers: { 'content-type': 'application/json-patch+json' },
};
// As the institution's own client, another's, research, the patient, the practitioner: what a read of a record answers.
const READ = [401, 401, 200, 404, 404, 200, 200, 403];
// Who may read is for the patient and the custodian to ask.
const EXPLAIN = [401, 401, 200, 404, 404, 200, 200, 404];
// Search answers with what is permitted, which may be nothing.
const SEARCH = [401, 401, 200, 200, 200, 200, 200, 403];
// Of Anna's five Observations: three of the code that is asked for with $lastn.
const SHOWN = [0, 0, 5, 0, 0, 5, 5, 0];
const LAST = [0, 0, 3, 0, 0, 3, 3, 0];
// What is packaged is for whoever may read the type.
const GENDER = 'http://hl7.org/fhir/ValueSet/administrative-gender';
const TERMS = [401, 401, 200, 200, 200, 200, 200, 403];
const NO_TERMS = [401, 401, 404, 404, 404, 404, 404, 403];
const WRITE = (status: number) => [401, 401, status, 403, 403, 403, status, 403];

/** By operationId. */
const TABLE: Readonly<Record<string, Row>> = {
  health: { path: '/health', statuses: OPEN },
  ready: { path: '/ready', statuses: OPEN },
  metrics: { path: '/metrics', statuses: OPEN },
  docs: { path: '/docs', statuses: OPEN },
  docsAsset: { path: '/docs/openapi.json', statuses: OPEN },
  verification: { path: '/verify', statuses: OPEN },
  verificationAsset: { path: '/verify/page.js', statuses: OPEN },
  unionCapabilities: { path: '/fhir/metadata', statuses: OPEN },
  unionSmartConfiguration: { path: '/fhir/.well-known/smart-configuration', statuses: OPEN },
  capabilities: { path: `${BASE}/metadata`, statuses: OPEN },
  smartConfiguration: { path: `${BASE}/.well-known/smart-configuration`, statuses: OPEN },
  unionSearch: { path: `/fhir/Observation?_id=${OBSERVATION}`, statuses: SEARCH, shown: [0, 0, 1, 0, 0, 1, 1, 0] },
  unionSearchByPost: {
    path: '/fhir/Observation/_search',
    message: { body: `_id=${OBSERVATION}`, headers: FORM },
    statuses: SEARCH,
    shown: [0, 0, 1, 0, 0, 1, 1, 0],
  },
  unionRead: { path: `/fhir/Observation/${OBSERVATION}`, statuses: [401, 401, 404, 404, 404, 404, 404, 404] },
  search: { path: `${BASE}/Observation?_count=100`, statuses: SEARCH, shown: [0, 0, 15, 0, 0, 5, 15, 0] },
  searchByPost: {
    path: `${BASE}/Observation/_search`,
    message: { body: '_count=100', headers: FORM },
    statuses: SEARCH,
    shown: [0, 0, 15, 0, 0, 5, 15, 0],
  },
  systemSearch: { path: `${BASE}?_type=Observation&_count=100`, statuses: SEARCH, shown: [0, 0, 15, 0, 0, 5, 15, 0] },
  systemSearchByPost: {
    path: `${BASE}/_search`,
    message: { body: '_type=Observation&_count=100', headers: FORM },
    statuses: SEARCH,
    shown: [0, 0, 15, 0, 0, 5, 15, 0],
  },
  unionSystemSearch: { path: `/fhir?_id=${OBSERVATION}`, statuses: SEARCH, shown: [0, 0, 1, 0, 0, 1, 1, 0] },
  unionSystemSearchByPost: {
    path: '/fhir/_search',
    message: { body: `_id=${OBSERVATION}`, headers: FORM },
    statuses: SEARCH,
    shown: [0, 0, 1, 0, 0, 1, 1, 0],
  },
  compartmentSearch: {
    path: `${BASE}/Patient/${ANNA}/Observation?_count=100`,
    statuses: SEARCH,
    shown: [0, 0, 5, 0, 0, 5, 5, 0],
  },
  compartmentSearchByPost: {
    path: `${BASE}/Patient/${ANNA}/Observation/_search`,
    message: { body: '_count=100', headers: FORM },
    statuses: SEARCH,
    shown: [0, 0, 5, 0, 0, 5, 5, 0],
  },
  create: { path: `${BASE}/Patient`, message: { body: PATIENT }, statuses: WRITE(201) },
  conditionalUpdate: {
    path: () => `${BASE}/Patient?identifier=${randomUUID()}`,
    message: { body: PATIENT },
    statuses: WRITE(201),
  },
  bundle: {
    path: BASE,
    message: {
      body: {
        resourceType: 'Bundle',
        type: 'transaction',
        entry: [{ resource: PATIENT, request: { method: 'POST', url: 'Patient' } }],
      },
    },
    statuses: WRITE(200),
  },
  systemHistory: { path: `${BASE}/_history?_count=1000`, statuses: SEARCH },
  breakGlass: {
    path: `${BASE}/Patient/${ANNA}/$break-glass`,
    message: { body: { resourceType: 'Parameters' } },
    statuses: [401, 401, 400, 400, 400, 400, 400, 400],
  },
  explainAccess: { path: `${BASE}/Observation/${OBSERVATION}/$explain-access`, statuses: EXPLAIN },
  typeHistory: { path: `${BASE}/Observation/_history?_count=100`, statuses: SEARCH, shown: [0, 0, 15, 0, 0, 5, 15, 0] },
  read: { path: `${BASE}/Observation/${OBSERVATION}`, statuses: READ },
  update: {
    path: `${BASE}/Patient/updated`,
    message: () => ({ body: { resourceType: 'Patient', id: 'updated', language: randomUUID() } }),
    statuses: WRITE(200),
  },
  patch: { path: `${BASE}/Patient/updated`, message: PATCH, statuses: WRITE(200) },
  conditionalPatch: { path: () => `${BASE}/Patient?identifier=${randomUUID()}`, message: PATCH, statuses: WRITE(404) },
  conditionalDelete: { path: () => `${BASE}/Patient?identifier=${randomUUID()}`, statuses: WRITE(204) },
  validateOfType: { path: `${BASE}/Patient/$validate`, message: { body: PATIENT }, statuses: WRITE(200) },
  validateOfInstance: { path: `${BASE}/Patient/x/$validate`, message: { body: PATIENT }, statuses: WRITE(200) },
  metaOfSystem: { path: `${BASE}/$meta`, statuses: SEARCH },
  metaOfSystemByPost: { path: `${BASE}/$meta`, message: { body: PARAMETERS }, statuses: SEARCH },
  // For the institution itself, and not for patients: how many records there are is nobody else's business.
  reindexOfSystem: { path: `${BASE}/$reindex`, message: { body: PARAMETERS }, statuses: WRITE(200) },
  reindexStatusOfSystem: { path: `${BASE}/$reindex-status`, statuses: WRITE(200) },
  reindexStatusOfSystemByPost: {
    path: `${BASE}/$reindex-status`,
    message: { body: PARAMETERS },
    statuses: WRITE(200),
  },
  metaOfType: { path: `${BASE}/Observation/$meta`, statuses: SEARCH },
  metaOfTypeByPost: { path: `${BASE}/Observation/$meta`, message: { body: PARAMETERS }, statuses: SEARCH },
  metaOfInstance: { path: `${BASE}/Observation/${OBSERVATION}/$meta`, statuses: READ },
  metaOfInstanceByPost: {
    path: `${BASE}/Observation/${OBSERVATION}/$meta`,
    message: { body: PARAMETERS },
    statuses: READ,
  },
  metaAddOfInstance: { path: `${BASE}/Patient/updated/$meta-add`, message: { body: META }, statuses: WRITE(200) },
  metaDeleteOfInstance: { path: `${BASE}/Patient/updated/$meta-delete`, message: { body: META }, statuses: WRITE(200) },
  everythingOfInstance: { path: `${BASE}/Patient/${ANNA}/$everything?_type=Observation`, statuses: READ, shown: SHOWN },
  everythingOfInstanceByPost: {
    path: `${BASE}/Patient/${ANNA}/$everything?_type=Observation`,
    message: { body: PARAMETERS },
    statuses: READ,
    shown: SHOWN,
  },
  lastnOfType: { path: `${BASE}/Observation/$lastn?patient=${ANNA}&code=718-7&max=9`, statuses: SEARCH, shown: LAST },
  lastnOfTypeByPost: {
    path: `${BASE}/Observation/$lastn?patient=${ANNA}&code=718-7&max=9`,
    message: { body: PARAMETERS },
    statuses: SEARCH,
    shown: LAST,
  },
  expandOfType: { path: `${BASE}/ValueSet/$expand?url=${GENDER}`, statuses: TERMS },
  expandOfTypeByPost: {
    path: `${BASE}/ValueSet/$expand?url=${GENDER}`,
    message: { body: PARAMETERS },
    statuses: TERMS,
  },
  expandOfInstance: { path: `${BASE}/ValueSet/none/$expand`, statuses: NO_TERMS },
  expandOfInstanceByPost: { path: `${BASE}/ValueSet/none/$expand`, message: { body: PARAMETERS }, statuses: NO_TERMS },
  validateCodeOfType: { path: `${BASE}/ValueSet/$validate-code?url=${GENDER}&code=male`, statuses: TERMS },
  validateCodeOfTypeByPost: {
    path: `${BASE}/CodeSystem/$validate-code?url=http://hl7.org/fhir/administrative-gender&code=male`,
    message: { body: PARAMETERS },
    statuses: TERMS,
  },
  validateCodeOfInstance: { path: `${BASE}/ValueSet/none/$validate-code?code=male`, statuses: NO_TERMS },
  validateCodeOfInstanceByPost: {
    path: `${BASE}/ValueSet/none/$validate-code?code=male`,
    message: { body: PARAMETERS },
    statuses: NO_TERMS,
  },
  delete: { path: () => `${BASE}/Patient/${randomUUID()}`, statuses: WRITE(204) },
  instanceHistory: { path: `${BASE}/Observation/${OBSERVATION}/_history`, statuses: READ },
  vread: { path: `${BASE}/Observation/${OBSERVATION}/_history/1`, statuses: READ },
  evidence: { path: `${BASE}/Observation/${OBSERVATION}/_history/1/$evidence`, statuses: READ },
  certificate: { path: `${BASE}/Observation/${OBSERVATION}/_history/1/$certificate`, statuses: READ },
  listInstitutions: { path: '/admin/institutions', statuses: ADMINISTRATION(200) },
  addInstitution: {
    path: '/admin/institutions',
    message: () => ({ body: { id: `i-${randomUUID()}` } }),
    statuses: ADMINISTRATION(201),
  },
  setInstitution: {
    path: '/admin/institutions/nobody',
    message: { body: { validation: 'base' } },
    statuses: ADMINISTRATION(404),
  },
  listClients: { path: '/admin/clients', statuses: ADMINISTRATION(200) },
  addClient: { path: '/admin/clients', message: { body: { id: 'x' } }, statuses: ADMINISTRATION(400) },
  backup: { path: '/admin/backup', message: { body: { part: 'keys' } }, statuses: ADMINISTRATION(200) },
  disableClient: { path: '/admin/clients/nobody', statuses: ADMINISTRATION(404) },
  listEmergencies: { path: '/admin/emergencies', statuses: ADMINISTRATION(200) },
  reviewEmergency: {
    path: '/admin/emergencies/11111111-1111-4111-8111-111111111111',
    message: { body: { outcome: 'justified', note: 'none' } },
    statuses: ADMINISTRATION(404),
  },
  scrub: { path: '/admin/scrub', statuses: ADMINISTRATION(200) },
  dropAccess: {
    path: '/admin/access/drop',
    message: { body: { before: '2020-01-01', reason: 'x' } },
    statuses: ADMINISTRATION(200),
  },
  rebuild: { path: '/admin/rebuild', statuses: ADMINISTRATION(200) },
  anchors: { path: '/admin/anchors', statuses: ADMINISTRATION(200) },
};

interface Operation {
  readonly operationId: string;
  readonly security: readonly object[];
}

suite('routes', async () => {
  const world = await startWorld();
  const hospital = world.as('hospital-a');
  await putCohort(hospital, cohort());
  await hospital.put('Patient/updated', { resourceType: 'Patient', id: 'updated' });
  await hospital.put('Practitioner/doctor', { resourceType: 'Practitioner', id: 'doctor' });
  await until(
    'the evidence is there',
    async () => (await hospital.get(`Observation/${OBSERVATION}/_history/1/$evidence`)).status === 200,
  );

  const clients: Readonly<Record<Principal, FhirClient>> = {
    none: fhirClient(world.node.url),
    wrong: fhirClient(world.node.url, () => Promise.resolve('x'.repeat(43))),
    'hospital-a': hospital,
    'hospital-b': world.as('hospital-b'),
    research: world.as('research-institute'),
    patient: world.as(`patient:${ANNA}`),
    practitioner: world.as('practitioner:doctor'),
    operator: world.as('operator'),
  };
  const document = JSON.parse(readFileSync(new URL('../../src/api/openapi.json', import.meta.url), 'utf8')) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  };
  const operations = Object.values(document.paths).flatMap((methods) => Object.entries(methods));

  test('the table names every operation, and no other', () => {
    const ids = operations.map(([, { operationId }]) => operationId);
    assert.deepEqual(Object.keys(TABLE).toSorted(), ids.toSorted());
  });

  for (const [method, { operationId, security }] of operations) {
    const row = TABLE[operationId];
    if (row === undefined) continue;
    test(`${operationId}: every principal gets what the table says`, async () => {
      for (const [index, principal] of PRINCIPALS.entries()) {
        const { answer, path } = await ask(method, row, clients[principal]);
        assert.equal(answer.status, row.statuses[index], `${principal}: ${answer.text.slice(0, 500)}`);
        assert.equal(answer.headers['www-authenticate'] !== undefined, answer.status === 401, principal);
        if (answer.status >= 400) assert.match(answer.text, /^\{"resourceType":"OperationOutcome"/, principal);
        if (row.shown !== undefined && answer.status === 200) {
          assert.equal(answer.json<Bundle>().entry?.length ?? 0, row.shown[index], principal);
        }
        if (security.some((scheme) => 'smart' in scheme) && answer.status !== 401) {
          await assertRecorded(answer, principal, path, operationId);
        }
      }
    });
  }

  test('the system history shows each principal their own', async () => {
    const names = async (principal: Principal) =>
      ((await clients[principal].get(`${BASE}/_history?_count=1000`)).json<Bundle>().entry ?? []).map(({ resource }) =>
        JSON.stringify(resource),
      );
    for (const stranger of ['hospital-b', 'research'] as const) {
      assert.deepEqual(
        (await names(stranger)).filter((text) => !text.includes('"Practitioner"')),
        [],
        stranger,
      );
    }
    const own = await names('patient');
    assert.ok(
      own.length > 5 && own.every((text) => !text.includes(BERT)),
      own.find((text) => text.includes(BERT)),
    );
  });

  test('what is refused before it runs is recorded too', async () => {
    const refusals: readonly (readonly [path: string, method: string, message: Message, status: number])[] = [
      [`${BASE}/Patient`, 'POST', { body: '<Patient/>', headers: { 'content-type': 'application/fhir+xml' } }, 415],
      [`${BASE}/Patient`, 'POST', { body: '{' }, 400],
      [`${BASE}/Patient`, 'POST', { body: Buffer.alloc(17 * 1024 * 1024, ' ') }, 413],
      [`${BASE}/Patient/${ANNA}`, 'GET', { headers: { accept: 'application/fhir+xml' } }, 406],
      [`${BASE}/Patient?nonsense=1`, 'GET', {}, 400],
      ['/nowhere/fhir/Patient', 'GET', {}, 404],
    ];
    for (const [path, method, message, status] of refusals) {
      const answer = await hospital.send(method, path, message);
      assert.equal(answer.status, status, answer.text);
      await assertRecorded(answer, 'hospital-a', path, undefined);
    }
  });

  /** The request has its AuditEvent, in the trail of the base's institution, or of the client's own at the union. */
  async function assertRecorded(
    answer: Answer,
    principal: Principal,
    path: string,
    operationId: string | undefined,
  ): Promise<void> {
    const union = /^\/fhir\b/.test(path);
    // At the union nothing is anybody's, and the operator belongs to no institution.
    if (principal === 'operator' && union) return;
    const custodian = union && principal === 'hospital-b' ? world.as('hospital-b', 'hospital-b') : hospital;
    if (union && principal === 'research') return;
    const id = String(answer.headers['x-request-id']);
    const entries = (await custodian.get('AuditEvent?_count=50')).json<Bundle>().entry ?? [];
    const event = entries
      .map(({ resource }) => resource as AuditEvent)
      .find(({ entity = [] }) => entity.some(({ what }) => what?.identifier?.value === id));
    assert.ok(event !== undefined, `${operationId} as ${principal} is not in the trail`);
    const outcome = answer.status < 400 ? '0' : answer.status < 500 ? '4' : '8';
    assert.equal(event.outcome, outcome);
    assert.ok((event.subtype?.[0]?.code ?? '').length > 0);
  }
});

async function ask(method: string, row: Row, client: FhirClient): Promise<{ answer: Answer; path: string }> {
  const path = typeof row.path === 'function' ? row.path() : row.path;
  const message = typeof row.message === 'function' ? row.message() : row.message;
  return { answer: await client.send(method.toUpperCase(), path, message), path };
}
