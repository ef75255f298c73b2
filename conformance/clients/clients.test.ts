/** Clients of other people, as they are published: what they send is what hospitals' and apps' software sends. */
import assert from 'node:assert/strict';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { after, suite, test } from 'node:test';
import { MedplumClient, OperationOutcomeError } from '@medplum/core';
import type { Bundle, Observation, OperationOutcome, Patient, Resource } from '@medplum/fhirtypes';
import { Client } from 'fhir-kit-client';
import smart from 'fhirclient';
import { startTestNode } from '../support/test-node.ts';

const SYSTEM = 'urn:medseal:clients';

/** A patient that only this test knows. */
function patientOf(client: string, family = 'Wang'): Patient {
  return { resourceType: 'Patient', identifier: [{ system: SYSTEM, value: client }], name: [{ family }] };
}

function observationOf(patient: string): Observation {
  return {
    resourceType: 'Observation',
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '718-7' }] },
    subject: { reference: patient },
  };
}

suite('clients', async () => {
  const node = await startTestNode({ after: (hook) => after(hook as () => Promise<void>) });
  const baseUrl = `${node.url}/hospital-a/fhir`;
  const token = await node.token('hospital-a');

  suite('fhir-kit-client', () => {
    const client = new Client({ baseUrl, bearerToken: token });
    const create = async (resource: Resource) =>
      (await client.create({ resourceType: resource.resourceType, body: resource as never })) as unknown as Patient & {
        id: string;
      };

    test('discovery', async () => {
      const statement = await client.capabilityStatement();
      assert.equal(statement.resourceType, 'CapabilityStatement');
      assert.equal(String((await client.smartAuthMetadata()).tokenUrl), `${node.url}/auth/token`);
    });

    test('create, read, update, vread, history, patch, delete', async () => {
      const { id } = await create(patientOf('kit'));
      const resourceType = 'Patient';
      const body = { ...patientOf('kit', 'Li'), id };
      const updated = (await client.update({ resourceType, id, body })) as unknown as Patient;
      assert.equal(updated.meta?.versionId, '2');
      const patched = await client.patch({
        resourceType,
        id,
        jsonPatch: [{ op: 'replace', path: '/name/0/family', value: 'Zhao' }],
      });
      assert.equal((patched as unknown as Patient).name?.[0]?.family, 'Zhao');
      const first = (await client.vread({ resourceType, id, version: '1' })) as unknown as Patient;
      assert.equal(first.name?.[0]?.family, 'Wang');
      const history = (await client.history({ resourceType, id })) as unknown as Bundle;
      assert.equal(history.entry?.length, 3);
      await client.delete({ resourceType, id });
      await assert.rejects(
        client.read({ resourceType, id }),
        (error: { response: { status: number } }) => error.response.status === 410,
      );
    });

    test('search by GET and POST, pages, conditional update', async () => {
      for (const _ of [1, 2, 3]) await create(patientOf('kit-pages'));
      const searchParams = { identifier: `${SYSTEM}|kit-pages`, _count: 2 };
      const first = (await client.search({ resourceType: 'Patient', searchParams })) as unknown as Bundle;
      assert.equal(first.entry?.length, 2);
      const next = await client.nextPage({ bundle: first as never });
      assert.equal((next as unknown as Bundle).entry?.length, 1);
      const posted = await client.resourceSearch({
        resourceType: 'Patient',
        searchParams,
        options: { postSearch: true } as never,
      });
      assert.equal((posted as unknown as Bundle).entry?.length, 2);
      const conditional = {
        resourceType: 'Patient',
        searchParams: { identifier: `${SYSTEM}|kit-upsert` },
        body: patientOf('kit-upsert') as never,
      };
      const made = (await client.update(conditional)) as unknown as Patient;
      assert.equal(((await client.update(conditional)) as unknown as Patient).id, made.id);
    });

    test('transaction, batch, operations, errors', async () => {
      const entry = [{ resource: patientOf('kit-bundle'), request: { method: 'POST', url: 'Patient' } }] as const;
      for (const type of ['transaction', 'batch'] as const) {
        const bundle: Bundle = { resourceType: 'Bundle', type, entry: [...entry] };
        const answer = (await client[type]({ body: bundle as never })) as unknown as Bundle;
        assert.deepEqual([answer.type, answer.entry?.[0]?.response?.status], [`${type}-response`, '201']);
      }
      const { id } = await create(patientOf('kit-everything'));
      await create(observationOf(`Patient/${id}`));
      const all = (await client.operation({
        name: 'everything',
        resourceType: 'Patient',
        id,
        method: 'GET',
      })) as unknown as Bundle;
      assert.ok(all.entry?.some(({ resource }) => resource?.resourceType === 'Observation'));
      const outcome = await client.operation({
        name: '$validate',
        resourceType: 'Patient',
        input: patientOf('x') as never,
      });
      assert.equal(outcome.resourceType, 'OperationOutcome');
      const wrong = { resourceType: 'Patient', body: { resourceType: 'Patient', gender: 'x' } as never };
      await assert.rejects(client.create(wrong), (error: { response: { status: number; data: OperationOutcome } }) => {
        assert.equal(error.response.status, 422);
        assert.equal(error.response.data.issue[0]?.expression?.[0], 'Patient.gender');
        return true;
      });
    });
  });

  suite('MedplumClient', () => {
    const client = new MedplumClient({
      baseUrl: `${node.url}/`,
      fhirUrlPath: 'hospital-a/fhir/',
      accessToken: token,
      cacheTime: 0,
    });

    test('create, read, update, versions, history, patch, delete', async () => {
      const { id } = await client.createResource(patientOf('medplum'));
      const updated = await client.updateResource({ ...patientOf('medplum', 'Li'), id });
      assert.equal(updated.meta?.versionId, '2');
      const patched = await client.patchResource('Patient', id, [{ op: 'add', path: '/active', value: true }]);
      assert.deepEqual([patched.active, patched.name?.[0]?.family], [true, 'Li']);
      assert.equal((await client.readVersion('Patient', id, '1')).name?.[0]?.family, 'Wang');
      assert.equal((await client.readHistory('Patient', id)).entry?.length, 3);
      await client.deleteResource('Patient', id);
      await assert.rejects(client.readResource('Patient', id), OperationOutcomeError);
    });

    test('search, pages, conditional create and update', async () => {
      for (const _ of [1, 2, 3]) await client.createResource(patientOf('medplum-pages'));
      const query = { identifier: `${SYSTEM}|medplum-pages`, _count: 2 };
      assert.equal((await client.search('Patient', query)).entry?.length, 2);
      const pages: number[] = [];
      for await (const page of client.searchResourcePages('Patient', query)) pages.push(page.length);
      assert.deepEqual(pages, [2, 1]);
      const condition = `identifier=${SYSTEM}|medplum-one`;
      const one = await client.createResourceIfNoneExist(patientOf('medplum-one'), condition);
      assert.equal((await client.createResourceIfNoneExist(patientOf('medplum-one'), condition)).id, one.id);
      assert.equal((await client.upsertResource(patientOf('medplum-one', 'Li'), condition)).id, one.id);
    });

    test('batch, $everything, $validate, $expand, errors', async () => {
      const fullUrl = 'urn:uuid:8f0b6c52-41c0-4a52-a7c8-3c6f5ee25a5f';
      const bundle = await client.executeBatch({
        resourceType: 'Bundle',
        type: 'transaction',
        entry: [
          { fullUrl, resource: patientOf('medplum-batch'), request: { method: 'POST', url: 'Patient' } },
          { resource: observationOf(fullUrl), request: { method: 'POST', url: 'Observation' } },
        ],
      });
      assert.deepEqual(
        bundle.entry?.map(({ response }) => response?.status),
        ['201', '201'],
      );
      const patient = await client.searchOne('Patient', { identifier: `${SYSTEM}|medplum-batch` });
      const all = await client.readPatientEverything(patient?.id ?? '');
      assert.ok(all.entry?.some(({ resource }) => resource?.resourceType === 'Observation'));
      const { issue } = await client.validateResource(patientOf('x'));
      assert.ok(issue.length > 0 && issue.every(({ severity }) => severity !== 'error'));
      const expanded = await client.valueSetExpand({ url: 'http://hl7.org/fhir/ValueSet/administrative-gender' });
      assert.equal(expanded.expansion?.contains?.length, 4);
      const wrong = { resourceType: 'Patient', gender: 'x' } as unknown as Patient;
      await assert.rejects(client.createResource(wrong), (error) => {
        assert.ok(error instanceof OperationOutcomeError);
        assert.equal(error.outcome.issue[0]?.expression?.[0], 'Patient.gender');
        return true;
      });
    });
  });

  suite('fhirclient (SMART)', () => {
    const request = new IncomingMessage(new Socket());
    const client = smart(request, new ServerResponse(request)).client({
      serverUrl: baseUrl,
      tokenResponse: { access_token: token, token_type: 'bearer' },
    });

    test('create, read, update, patch, delete', async () => {
      const { id = '' } = (await client.create(patientOf('smart') as never)) as unknown as Patient;
      const updated = await client.update({ ...patientOf('smart', 'Li'), id } as never);
      assert.equal((updated as unknown as Patient).meta?.versionId, '2');
      const patched = await client.patch(`Patient/${id}`, [{ op: 'add', path: '/active', value: true }]);
      assert.equal((patched as unknown as Patient).active, true);
      assert.equal(((await client.request(`Patient/${id}`)) as Patient).name?.[0]?.family, 'Li');
      await client.delete(`Patient/${id}`);
      await assert.rejects(client.request(`Patient/${id}`), /410|Gone/i);
    });

    test('all pages as one list, references resolved', async () => {
      const { id } = (await client.create(patientOf('smart-pages') as never)) as unknown as Patient;
      for (const _ of [1, 2, 3]) await client.create(observationOf(`Patient/${id}`) as never);
      const all = (await client.request(`Observation?patient=${id}&_count=2`, {
        pageLimit: 0,
        flat: true,
      })) as Observation[];
      assert.equal(all.length, 3);
      const [first] = all;
      const resolved = await client.request(`Observation/${first?.id}`, { resolveReferences: 'subject', graph: true });
      assert.equal((resolved as { subject: Patient }).subject.resourceType, 'Patient');
    });
  });
});
