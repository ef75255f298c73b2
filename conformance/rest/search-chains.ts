import { suite } from 'node:test';
import type { Encounter, Location, Observation, Organization, Patient } from '@medplum/fhirtypes';
import type { FhirClient } from '../support/fhir-client.ts';
import { check } from './case.ts';
import { finder, newScope, refused } from './support.ts';
import type { RestTarget } from './target.ts';

const UCUM = 'http://unitsofmeasure.org';

/** http://hl7.org/fhir/R4/search.html#chaining, #has */
export function searchChains(target: Promise<RestTarget>): void {
  suite('chains', () => {
    check('search.html#chaining', 'of two, three and four steps', async () => {
      const { client } = await target;
      const { scope, ofAnna, ofBert } = await hospitals(client);
      const find = finder(client, 'Observation', scope);
      await find('patient.organization.name=north', [ofAnna]);
      await find('patient.organization.name=clinic', []);
      await find('subject:Patient.organization.name=north,south', [ofAnna, ofBert]);
      await find('patient.organization.partof.name=trust', [ofAnna]);
      await find('encounter.patient.organization.partof.name=trust', [ofAnna]);
      await find('encounter.location.address-city=harbin', [ofBert]);
      await find('encounter.location.organization:Organization.name=south', [ofBert]);
    });

    check(
      'search.html#chaining',
      'several chains must each lead somewhere, together with what is asked of the resource',
      async () => {
        const { client } = await target;
        const { scope, ofAnna } = await hospitals(client);
        const find = finder(client, 'Observation', scope);
        await find('patient.organization.name=north&encounter.status=finished', [ofAnna]);
        await find('patient.organization.name=north&encounter.location.name=ward', []);
        await find('patient.organization.name=north&code=none', []);
      },
    );

    check(
      'search.html#chaining',
      'what the index answers as a superset is decided at the end of the chain',
      async () => {
        const { client } = await target;
        const { scope, ofAnna, ofBert } = await hospitals(client);
        const find = finder(client, 'Observation', scope);
        await find('patient.family=anna-with-a-name-longer-than-sixteen', [ofAnna]);
        await find('patient.family=anna-with-a-name-longer-than-sixtyone', []);
        await find('patient.family:contains=longer', [ofAnna]);
        await find('encounter.date=gt2024-05-01T09:00:00Z', [ofBert]);
        await find('encounter.date=lt2024-05-01T08:59:00Z', [ofAnna]);
        await find('patient.organization.name:contains=outh', [ofBert]);
      },
    );

    check('search.html#chaining', '_has of a chain, a chain of _has, and _has of _has', async () => {
      const { client } = await target;
      const { scope, anna, bert, north, south, ofAnna, ofBert } = await hospitals(client);
      const patients = finder(client, 'Patient', scope);
      await patients('_has:Observation:patient:encounter.location.name=ward', [bert]);
      await patients(`_has:Observation:patient:value-quantity=gt5|${UCUM}|g/L`, [anna]);
      await patients('_has:Encounter:patient:date=lt2024-05-01T08:59:00Z', [anna]);
      await patients('_has:Encounter:patient:_has:Observation:encounter:code=of-bert', [bert]);
      const organizations = finder(client, 'Organization', scope);
      await organizations('_has:Patient:organization:_has:Observation:patient:code=of-anna', [north]);
      await organizations('_has:Patient:organization:_has:Encounter:patient:_has:Observation:encounter:code=of-bert', [
        south,
      ]);
      const observations = finder(client, 'Observation', scope);
      await observations('patient._has:Encounter:patient:status=finished', [ofAnna]);
      await observations('encounter.location._has:Encounter:location:status=planned', [ofBert]);
    });

    check('search.html#chaining', 'what leads nowhere, or through everything, is refused', async () => {
      const { client } = await target;
      refused(await client.get('Observation?code.name=x'), 400, 'invalid-parameter');
      refused(await client.get('Observation?patient.nonsense.name=x'), 400, 'unknown-parameter');
      refused(await client.get('Observation?patient.organization.partof=x.y|z'), 400, 'invalid-parameter');
      refused(await client.get('Provenance?target.subject.identifier.x=1'), 400, 'invalid-parameter');
      refused(await client.get('Patient?_has:Observation:code:code=x'), 400, 'invalid-parameter');
      refused(await client.get('Provenance?target.subject.identifier:contains=x'), 400, 'invalid-parameter');
      refused(await client.get('Provenance?target.patient.name:contains=x'), 403, 'too-costly');
    });
  });
}

/** Two hospitals, one of them part of a trust, with a patient, a visit and an observation each. */
async function hospitals(client: FhirClient) {
  const scope = newScope(client);
  const organization = (name: string, partOf?: string) =>
    scope.create<Organization>({
      resourceType: 'Organization',
      name,
      ...(partOf === undefined ? {} : { partOf: { reference: `Organization/${partOf}` } }),
    });
  const trust = await organization('Trust');
  const north = await organization('North', trust.id);
  const south = await organization('South');
  const ward = await scope.create<Location>({
    resourceType: 'Location',
    name: 'Ward',
    address: { city: 'Harbin' },
    managingOrganization: { reference: `Organization/${south.id}` },
  });
  const patient = (family: string, at: string) =>
    scope.create<Patient>({
      resourceType: 'Patient',
      name: [{ family }],
      managingOrganization: { reference: `Organization/${at}` },
    });
  const anna = await patient('Anna-with-a-name-longer-than-sixteen', north.id);
  const bert = await patient('Bert', south.id);
  const visit = (of: string, more: Partial<Encounter>) =>
    scope.create<Encounter>({
      resourceType: 'Encounter',
      status: 'finished',
      class: { code: 'AMB' },
      subject: { reference: `Patient/${of}` },
      ...more,
    });
  const visitOfAnna = await visit(anna.id, { period: { start: '2024-05-01T08:30:00Z', end: '2024-05-01T08:45:00Z' } });
  const visitOfBert = await visit(bert.id, {
    status: 'planned',
    period: { start: '2024-05-01T10:00:00Z', end: '2024-05-01T10:15:00Z' },
    location: [{ location: { reference: `Location/${ward.id}` } }],
  });
  const observe = (of: string, encounter: string, code: string, value: number) =>
    scope.create<Observation>({
      resourceType: 'Observation',
      status: 'final',
      code: { coding: [{ code }] },
      subject: { reference: `Patient/${of}` },
      encounter: { reference: `Encounter/${encounter}` },
      valueQuantity: { value, system: UCUM, code: 'g/L' },
    });
  const ofAnna = await observe(anna.id, visitOfAnna.id, 'of-anna', 7);
  const ofBert = await observe(bert.id, visitOfBert.id, 'of-bert', 3);
  return { scope, anna, bert, north, south, ofAnna, ofBert };
}
