import assert from 'node:assert/strict';
import { suite } from 'node:test';
import type {
  Condition,
  DiagnosticReport,
  Encounter,
  Location,
  Observation,
  Organization,
  Patient,
} from '@medplum/fhirtypes';
import type { FhirClient } from '../support/fhir-client.ts';
import { check } from './case.ts';
import { entries, linkOf, newScope, refused, type Scope } from './support.ts';
import type { RestTarget } from './target.ts';

/** http://hl7.org/fhir/R4/search.html#include, #revinclude */
export function searchIncludes(target: Promise<RestTarget>): void {
  suite('_include', () => {
    check(
      'search.html#include',
      'adds what a reference leads to, once, as an include; matches stay matches',
      async () => {
        const { client } = await target;
        const { scope, anna, bert, ofAnna, ofBert } = await observed(client);
        const also = await scope.create(about(anna.id));
        const find = finder(client, scope);
        assert.deepEqual(await find('Observation?_include=Observation:patient'), {
          match: [ofAnna.id, ofBert.id, also.id],
          include: [anna.id, bert.id],
        });
        assert.deepEqual(await find(`Observation?patient=${bert.id}&_include=Observation:subject`), {
          match: [ofBert.id],
          include: [bert.id],
        });
        assert.deepEqual((await find('Observation?_include=Observation:encounter')).include, []);
      },
    );

    check(
      'search.html#include',
      'the total counts matches only, and pages carry what belongs to their own matches',
      async () => {
        const { client } = await target;
        const { scope, anna, bert } = await observed(client);
        const first = await client.get(
          `Observation?${scope.query}&_include=Observation:patient&_count=1&_total=accurate`,
        );
        assert.equal(first.json<{ total: number }>().total, 2);
        assert.deepEqual(byMode(entries(first)).include, [anna.id]);
        const second = await client.get(linkOf(first, 'next') ?? '');
        assert.deepEqual(byMode(entries(second)).include, [bert.id]);
      },
    );

    check('search.html#include', 'Type:parameter:Target takes references to that type only', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const patient = await scope.create<Patient>({ resourceType: 'Patient' });
      const place = await scope.create<Location>({ resourceType: 'Location' });
      await scope.create(about(patient.id));
      await scope.create({ ...about(''), subject: { reference: `Location/${place.id}` } });
      const find = finder(client, scope);
      assert.deepEqual((await find('Observation?_include=Observation:subject:Location')).include, [place.id]);
      assert.deepEqual((await find('Observation?_include=Observation:subject:Patient')).include, [patient.id]);
    });

    check(
      'search.html#include',
      'without :iterate only the matches lead on; with it what was included does too',
      async () => {
        const { client } = await target;
        const { scope, patient, encounter, report, part, whole, observation } = await linked(client);
        const find = finder(client, scope);
        const one = 'DiagnosticReport?_include=DiagnosticReport:encounter';
        assert.deepEqual((await find(`${one}&_include=Encounter:subject`)).include, [encounter.id]);
        assert.deepEqual(
          new Set((await find(`${one}&_include:iterate=Encounter:subject`)).include),
          new Set([encounter.id, patient.id]),
        );
        const parts = await find(
          'DiagnosticReport?_include=DiagnosticReport:result&_include:iterate=Observation:has-member',
        );
        assert.deepEqual(parts.match, [report.id]);
        assert.deepEqual(new Set(parts.include), new Set([observation.id, part.id, whole.id]), 'a circle ends');
      },
    );

    check('search.html#include', '* takes every reference', async () => {
      const { client } = await target;
      const { scope, patient, encounter, observation } = await linked(client);
      const find = finder(client, scope);
      const expected = new Set([patient.id, encounter.id, observation.id]);
      for (const wildcard of ['*', 'DiagnosticReport:*']) {
        const { include } = await find(`DiagnosticReport?_include=${wildcard}`);
        assert.deepEqual(new Set(include), expected, wildcard);
      }
    });

    check(
      'search.html#include',
      'a reference to what was deleted, is elsewhere or was never there adds nothing',
      async () => {
        const { client } = await target;
        const scope = newScope(client);
        const gone = await scope.create<Patient>({ resourceType: 'Patient' });
        await scope.create(about(gone.id));
        await scope.create({ ...about(''), subject: { reference: 'http://example.org/fhir/Patient/1' } });
        await scope.create(about('never-there'));
        await client.delete(`Patient/${gone.id}`);
        const { match, include } = await finder(client, scope)('Observation?_include=Observation:patient');
        assert.deepEqual([match.length, include], [3, []]);
      },
    );

    check('search.html#include', 'what is no reference parameter of the type is refused', async () => {
      const { client } = await target;
      for (const bad of [
        'Observation:code',
        'Observation:nonsense',
        'Nonsense:patient',
        'Observation',
        '',
        'a:b:c:d',
      ]) {
        refused(await client.get(`Observation?_include=${bad}`), 400, 'invalid-parameter', '_include');
        refused(await client.get(`Patient?_revinclude=${bad}`), 400, 'invalid-parameter', '_revinclude');
      }
    });
  });

  suite('_revinclude', () => {
    check('search.html#include', 'adds what refers to a match', async () => {
      const { client } = await target;
      const { scope, anna, bert, ofAnna, ofBert } = await observed(client);
      const problem = await scope.create<Condition>({
        resourceType: 'Condition',
        subject: { reference: `Patient/${anna.id}` },
      });
      const find = finder(client, scope);
      const both = await find('Patient?_revinclude=Observation:patient');
      assert.deepEqual(both.match, [anna.id, bert.id]);
      assert.deepEqual(new Set(both.include), new Set([ofAnna.id, ofBert.id]));
      const two = `Patient?_id=${anna.id}&_revinclude=Observation:subject&_revinclude=Condition:patient`;
      assert.deepEqual(new Set((await find(two)).include), new Set([ofAnna.id, problem.id]));
      const every = await find(`Patient?_id=${anna.id}&_revinclude=*`);
      for (const { id } of [ofAnna, problem]) assert.ok(every.include.includes(id), 'of any type');
      assert.ok(!every.include.includes(ofBert.id));
    });

    check('search.html#include', ':iterate goes on from what was included, in both directions', async () => {
      const { client } = await target;
      const { scope, patient, encounter, report, observation } = await linked(client);
      const organization = await scope.create<Organization>({ resourceType: 'Organization' });
      await client.put(`Encounter/${encounter.id}`, {
        ...encounter,
        serviceProvider: { reference: `Organization/${organization.id}` },
      });
      const find = finder(client, scope);
      const query = `Patient?_id=${patient.id}&_revinclude=Encounter:subject`;
      assert.deepEqual((await find(query)).include, [encounter.id]);
      const further = await find(
        `${query}&_revinclude:iterate=DiagnosticReport:encounter&_include:iterate=Encounter:service-provider&_include:iterate=DiagnosticReport:result:Observation`,
      );
      assert.deepEqual(new Set(further.include), new Set([encounter.id, report.id, observation.id, organization.id]));
    });

    check('search.html#include', 'what would be too much for one page is refused and not cut', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const hub = await scope.create<Patient>({ resourceType: 'Patient' });
      for (let n = 0; n < 4; n++) {
        const entry = Array.from({ length: 501 }, () => ({
          resource: { ...about(hub.id), meta: { tag: [scope.tag] } },
          request: { method: 'POST', url: 'Observation' },
        }));
        const answer = await client.post('', { resourceType: 'Bundle', type: 'transaction', entry });
        assert.equal(answer.status, 200, answer.text);
      }
      refused(await client.get(`Patient?_id=${hub.id}&_revinclude=Observation:patient`), 403, 'too-costly', '_include');
    });
  });
}

interface Modes {
  readonly match: readonly string[];
  readonly include: readonly string[];
}

function byMode(found: ReturnType<typeof entries>): Modes {
  const of = (mode: string) =>
    found.filter(({ search }) => search?.mode === mode).map(({ resource }) => resource?.id ?? '');
  assert.equal(of('match').length + of('include').length, found.length, 'every entry has its mode');
  return { match: of('match'), include: of('include') };
}

function finder(client: FhirClient, scope: Scope) {
  return async (query: string): Promise<Modes> => byMode(entries(await client.get(`${query}&${scope.query}`)));
}

function about(patient: string): Observation {
  return {
    resourceType: 'Observation',
    status: 'final',
    code: { text: 'x' },
    subject: { reference: `Patient/${patient}` },
  };
}

async function observed(client: FhirClient) {
  const scope = newScope(client);
  const anna = await scope.create<Patient>({ resourceType: 'Patient' });
  const bert = await scope.create<Patient>({ resourceType: 'Patient' });
  const ofAnna = await scope.create(about(anna.id));
  const ofBert = await scope.create(about(bert.id));
  return { scope, anna, bert, ofAnna, ofBert };
}

/** A report of an encounter, with a result that has a member, and that one a member in turn that closes a circle. */
async function linked(client: FhirClient) {
  const scope = newScope(client);
  const patient = await scope.create<Patient>({ resourceType: 'Patient' });
  const subject = { reference: `Patient/${patient.id}` };
  const encounter = await scope.create<Encounter>({
    resourceType: 'Encounter',
    status: 'finished',
    class: { code: 'AMB' },
    subject,
  });
  const whole = await scope.create({ ...about(patient.id) });
  const part = await scope.create({ ...about(patient.id), hasMember: [{ reference: `Observation/${whole.id}` }] });
  const observation = await scope.create({
    ...about(patient.id),
    hasMember: [{ reference: `Observation/${part.id}` }],
  });
  await client.put(`Observation/${whole.id}`, {
    ...whole,
    hasMember: [{ reference: `Observation/${observation.id}` }],
  });
  const report = await scope.create<DiagnosticReport>({
    resourceType: 'DiagnosticReport',
    status: 'final',
    code: { text: 'x' },
    subject,
    encounter: { reference: `Encounter/${encounter.id}` },
    result: [{ reference: `Observation/${observation.id}` }],
  });
  return { scope, patient, encounter, whole, part, observation, report };
}
