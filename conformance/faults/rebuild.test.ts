/** `medseal rebuild`: HARD-CASES 25, and DESIGN §4's promise about ledger, content store and key service. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Bundle, Resource } from '@medplum/fhirtypes';
import { administer, connect } from '../../src/cli/connection.ts';
import { readClient } from '../../src/cli/data-directory.ts';
import { researchConsent } from '../../src/demo/consent.ts';
import { INSTITUTIONS, PARTICIPANTS } from '../../src/demo/participants.ts';
import { parseRoots } from '../../src/trail/evidence/roots.ts';
import { verifyEvidence } from '../../src/trail/evidence/verify.ts';
import type { FhirClient } from '../support/fhir-client.ts';
import { idsOf, putParameter, reindexStatus, searchParameter, untilIndexed } from '../support/search-parameters.ts';
import { startTestNode, type TestNode } from '../support/test-node.ts';
import { backUp, RECORDS } from './backup.ts';
import { accepted, clientOf, observation, patient, writesOf } from './node-records.ts';
import { rebuilt } from './rebuild.ts';
import { onRecords, untilAnchored } from './records-database.ts';
import { takeSnapshot } from './records-snapshot.ts';
import { scrubFindings } from './scrub.ts';

function transaction(resources: readonly Resource[]): Bundle {
  return {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: resources.map((resource) => ({
      resource,
      request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
    })),
  };
}

/** Records of every kind that a rebuild treats apart. */
async function writeRecords(node: TestNode): Promise<void> {
  const hospital = clientOf(node, 'hospital-a');
  const elsewhere = clientOf(node, 'hospital-b', 'hospital-b');
  await accepted(
    hospital.post(
      '',
      transaction([
        patient('p1', '一'),
        patient('p2', '二'),
        observation('o1', 'Patient/p1', 13.5),
        observation('o2', 'Patient/p2', 14),
        // Of nobody of this base.
        observation('o3', 'https://other.example/fhir/Patient/9', 12),
        { resourceType: 'Organization', id: 'ward', name: 'Ward' },
      ]),
    ),
  );
  await accepted(elsewhere.put('Patient/p1', patient('p1', 'another institution')));
  // Of two patients, and larger than a segment.
  await accepted(
    hospital.put('Appointment/a1', {
      resourceType: 'Appointment',
      id: 'a1',
      status: 'booked',
      participant: ['p1', 'p2'].map((id) => ({ actor: { reference: `Patient/${id}` }, status: 'accepted' })),
    }),
  );
  await accepted(
    hospital.put('Binary/b1', {
      resourceType: 'Binary',
      id: 'b1',
      contentType: 'application/octet-stream',
      data: Buffer.alloc(900_000, 7).toString('base64'),
    }),
  );
  // As it is written: 1.0 is not 1.
  await accepted(
    hospital.put('Observation/o1', JSON.stringify(observation('o1', 'Patient/p1', 13.5)).replace('13.5', '13.50')),
  );
  await accepted(hospital.delete('Observation/o2'));
  await accepted(hospital.put('Observation/o4', observation('o4', 'Patient/p2', 1)));
  await accepted(hospital.delete('Observation/o4'));
  await accepted(hospital.put('Observation/o4', observation('o4', 'Patient/p2', 2)));
  const [one, two] = [clientOf(node, 'patient:p1'), clientOf(node, 'patient:p2')];
  const at = '2026-11-01T00:00:00Z';
  await accepted(one.put('Consent/c1', researchConsent('c1', 'p1', 'active', at)));
  await accepted(two.put('Consent/c2', researchConsent('c2', 'p2', 'active', at)));
  await accepted(two.put('Consent/c2', researchConsent('c2', 'p2', 'inactive', at)));
}

/** More, after which the database is put back to where it was before. */
async function writeMore(node: TestNode): Promise<void> {
  const hospital = clientOf(node, 'hospital-a');
  await accepted(hospital.put('Observation/o1', observation('o1', 'Patient/p1', 15)));
  await accepted(hospital.delete('Observation/o4'));
  await accepted(hospital.put('Patient/p3', patient('p3', '三')));
  const one = clientOf(node, 'patient:p1');
  await accepted(one.delete('Consent/c1'));
  await accepted(one.put('Consent/c3', researchConsent('c3', 'p1', 'active', '2026-11-02T00:00:00Z')));
}

const READ_BACK = [
  'Patient/p1',
  'Patient/p2',
  'Observation/o1',
  'Observation/o1/_history/1',
  'Observation/o3',
  'Appointment/a1',
  'Binary/b1',
];

function readAll(client: FhirClient): Promise<readonly string[]> {
  return Promise.all(
    READ_BACK.map(async (path) => {
      const { status, text } = await client.get(path);
      return `${status} ${text}`;
    }),
  );
}

/** What a scrub complains of, by kind. */
async function scrubKinds(node: TestNode): Promise<readonly string[]> {
  return [...new Set((await scrubFindings(node)).map(({ kind }) => kind))];
}

async function evidenceOf(node: TestNode, path: string) {
  const { status, text } = await clientOf(node, 'hospital-a').get(`${path}/$evidence`);
  assert.equal(status, 200, text);
  const roots = parseRoots(readFileSync(join(node.dataDirectory, 'roots.json'), 'utf8'));
  return verifyEvidence(Buffer.from(text), roots);
}

/** Clients come from a backup of their own; here they are registered again with the keys that they have. */
async function registerAgain(node: TestNode): Promise<void> {
  for (const participant of PARTICIPANTS) {
    const { d: _private, ...key } = readClient(node.dataDirectory, participant.id)?.privateKey ?? {};
    await administer(connect(node.dataDirectory), 'POST', '/admin/clients', { ...participant, jwks: { keys: [key] } });
  }
}

test('from an empty records database everything comes back', async (t) => {
  const node = await startTestNode(t);
  await writeRecords(node);
  const texts = await readAll(clientOf(node, 'hospital-a'));
  const research = clientOf(node, 'research-institute');
  assert.deepEqual(
    await Promise.all(['Observation/o1', 'Observation/o4'].map(async (path) => (await research.get(path)).status)),
    [200, 404],
  );
  await untilAnchored(node);
  await node.stop();
  const before = await takeSnapshot(node);
  await onRecords(
    node,
    `truncate ${RECORDS.join(', ')}, auth_client, auth_artifact, auth_assertion, institution restart identity`,
  );

  await node.restart();
  assert.match(await writesOf(node), /rebuild/);
  const { versions, keyless, accessOnly, institutions, fence, replayed } = await rebuilt(node);
  assert.deepEqual(
    { versions, keyless, institutions, fence },
    { versions: before.versions.length, keyless: 0, institutions: 3, fence: null },
  );
  assert.equal(replayed, before.batches.length);
  assert.equal(accessOnly, before.accessLeaves.length);
  assert.deepEqual(await takeSnapshot(node), before);
  assert.deepEqual(await scrubKinds(node), ['leaf-without-row'], 'the details of the access log, and nothing else');

  for (const id of INSTITUTIONS) {
    await administer(connect(node.dataDirectory), 'POST', '/admin/institutions', { id }).catch(() => undefined);
  }
  await registerAgain(node);
  const again = clientOf(node, 'hospital-a');
  assert.deepEqual(await readAll(again), texts);
  assert.deepEqual(
    await Promise.all(
      ['Observation/o1', 'Observation/o4'].map(
        async (path) => (await clientOf(node, 'research-institute').get(path)).status,
      ),
    ),
    [200, 404],
  );
  assert.equal((await evidenceOf(node, 'Observation/o1/_history/2')).version, 2);
  assert.match(JSON.stringify(await rebuilt(node)), /"replayed":0,"recorded":0/, 'again, it has nothing to do');

  await accepted(again.put('Observation/o1', observation('o1', 'Patient/p1', 16)));
  await untilAnchored(node);
  assert.equal((await evidenceOf(node, 'Observation/o1/_history/3')).version, 3);
});

test('custom search parameters are in force again, and what was there is indexed by them', async (t) => {
  const node = await startTestNode(t);
  const hospital = clientOf(node, 'hospital-a');
  await accepted(hospital.put('Patient/p1', { ...patient('p1', '一'), maritalStatus: { coding: [{ code: 'M' }] } }));
  await putParameter(hospital, searchParameter('marital-status', {}));
  await putParameter(hospital, searchParameter('retired', {}));
  await putParameter(hospital, searchParameter('retired', { status: 'retired' }));
  await putParameter(hospital, searchParameter('deleted', {}));
  await accepted(hospital.delete('SearchParameter/deleted'));
  await untilIndexed(hospital);
  await untilAnchored(node);
  await node.stop();
  await onRecords(
    node,
    `truncate ${RECORDS.join(', ')}, auth_client, auth_artifact, auth_assertion, institution restart identity`,
  );

  await node.restart();
  await rebuilt(node);
  for (const id of INSTITUTIONS) {
    await administer(connect(node.dataDirectory), 'POST', '/admin/institutions', { id }).catch(() => undefined);
  }
  await registerAgain(node);
  const again = clientOf(node, 'hospital-a');
  await untilIndexed(again);
  assert.deepEqual((await reindexStatus(again)).states, { 'marital-status': 'active' });
  assert.deepEqual(await idsOf(again, 'Patient?marital-status=M'), ['p1']);
});

test('a database that is older than its ledger takes no writes until it is replayed', async (t) => {
  const node = await startTestNode(t);
  await writeRecords(node);
  await untilAnchored(node);
  const hospital = clientOf(node, 'hospital-a');
  // Leaves that have no number yet when the backup is made.
  await accepted(hospital.put('Patient/p4', patient('p4', '四')));
  await node.kill9();
  const restore = await backUp(node, RECORDS);
  await node.restart();
  await writeMore(node);
  await untilAnchored(node);
  await node.stop();
  const newest = await takeSnapshot(node);

  await restore();
  await node.restart();
  assert.match(await writesOf(node), /older than its ledger/);
  const refusal = await clientOf(node, 'hospital-a').put('Patient/p5', patient('p5', '五'));
  assert.equal(refusal.status, 503);
  assert.match(refusal.text, /"code":"fenced"/);
  assert.equal((await clientOf(node, 'hospital-a').get('Observation/o1')).status, 200, 'reads live');

  const summary = await rebuilt(node);
  assert.equal(summary.fence, null);
  assert.ok(summary.versions >= 5, JSON.stringify(summary));
  assert.ok(summary.waiting >= 2, 'leaves that waited in the backup have the numbers that they got');
  assert.equal(await writesOf(node), 'accepted');
  const after = await takeSnapshot(node);
  for (const table of ['versions', 'current', 'consents', 'rules', 'recordLeaves'] as const) {
    assert.deepEqual(after[table], newest[table], table);
  }
  await accepted(clientOf(node, 'hospital-a').put('Patient/p5', patient('p5', '五')));
  await untilAnchored(node);
  assert.deepEqual(await scrubKinds(node), ['leaf-without-row']);
});
