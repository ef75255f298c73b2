import { suite } from 'node:test';
import type { CodeableConcept, Condition, Patient, Resource, ValueSet } from '@medplum/fhirtypes';
import { check } from './case.ts';
import { finder, newScope, refused } from './support.ts';
import type { RestTarget } from './target.ts';

const V3_ACT_CODE = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const ICD10 = 'http://hl7.org/fhir/sid/icd-10';

/** http://hl7.org/fhir/R4/search.html#modifiers */
export function searchByModifier(target: Promise<RestTarget>): void {
  suite('search modifiers', () => {
    check(
      'search.html#modifiers',
      ':contains finds a part of a string, whatever the case, the accents and the script',
      async () => {
        const { client } = await target;
        const scope = newScope(client);
        const named = (family: string, given: string) =>
          scope.create<Patient>({ resourceType: 'Patient', name: [{ family, given: [given] }] });
        const muller = await named('Müller-Lüdenscheidt', 'Anna');
        const smith = await named('Smith', 'Johanna');
        const wang = await named('王', '小明');
        const long = await named(`${'Wolfeschlegelstein'.repeat(4)}hausen`, 'Hubert');
        const find = finder(client, 'Patient', scope);
        await find('family:contains=LUDEN', [muller]);
        await find('family:contains=m', [muller, smith]);
        await find('family:contains=mit', [smith]);
        await find('family:contains=mits', []);
        await find('name:contains=anna', [muller, smith]);
        await find(`given:contains=${encodeURIComponent('明')}`, [wang]);
        await find('family:contains=steinhausen', [long], 'beyond what the index tells');
        await find('family:contains=mul,mit', [muller, smith]);
        await find('family:contains=ller%20lud', [muller], 'punctuation does not matter');
      },
    );

    check('search.html#modifiers', ':text finds what a code says, from its beginning', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const condition = (code: CodeableConcept) =>
        scope.create<Condition>({ resourceType: 'Condition', subject: { reference: 'Patient/x' }, code });
      const display = await condition({ coding: [{ code: '38341003', display: 'Hypertensive disorder' }] });
      const text = await condition({ text: '高血压病' });
      await condition({ coding: [{ code: 'hypertensive' }] });
      const find = finder(client, 'Condition', scope);
      await find('code:text=hypertensive', [display]);
      await find('code:text=HYP', [display]);
      await find('code:text=h', [display]);
      await find('code:text=hypertensive%20crisis', []);
      await find('code:text=disorder', []);
      await find(`code:text=${encodeURIComponent('高血')}`, [text]);
      await find(`code:text=${encodeURIComponent('高血压病')}`, [text]);
    });

    check('search.html#modifiers', ':below and :above a code, in a hierarchy that is listed', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const visit = (code: string) =>
        scope.create({
          resourceType: 'Encounter',
          status: 'finished',
          class: { system: V3_ACT_CODE, code },
          subject: { reference: 'Patient/x' },
        } as Resource);
      const [inpatient, acute, ambulatory] = [await visit('IMP'), await visit('ACUTE'), await visit('AMB')];
      const find = finder(client, 'Encounter', scope);
      await find(`class:below=${V3_ACT_CODE}|IMP`, [inpatient, acute]);
      await find(`class:below=${V3_ACT_CODE}|_ActEncounterCode`, [inpatient, acute, ambulatory]);
      await find(`class:below=${V3_ACT_CODE}|ACUTE`, [acute]);
      await find(`class:above=${V3_ACT_CODE}|ACUTE`, [inpatient, acute]);
      await find(`class:above=${V3_ACT_CODE}|IMP`, [inpatient]);
      await find(`class=${V3_ACT_CODE}|IMP`, [inpatient], 'without the modifier the code itself');
    });

    check('search.html#modifiers', ':below and :above a code that is built of what it is a kind of', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const diagnosis = (code: string, system = ICD10) =>
        scope.create<Condition>({
          resourceType: 'Condition',
          subject: { reference: 'Patient/x' },
          code: { coding: [{ system, code }] },
        });
      const [category, kind, detail] = [await diagnosis('E11'), await diagnosis('E11.6'), await diagnosis('E11.65')];
      await diagnosis('E110');
      await diagnosis('E11.6', 'urn:other');
      const find = finder(client, 'Condition', scope);
      await find(`code:below=${ICD10}|E11.6`, [kind, detail]);
      await find(`code:above=${ICD10}|E11.6`, [category, kind]);
      await find(`code:above=${ICD10}|E11.65&code:below=${ICD10}|E11.6`, [kind, detail]);
    });

    check('search.html#modifiers', 'a hierarchy that is not known here is refused', async () => {
      const { client } = await target;
      for (const query of ['code:below=http://snomed.info/sct|1', 'code:below=E11', `code:above=${ICD10}|`]) {
        refused(await client.get(`Condition?${query}`), 400, 'search-not-supported');
      }
    });

    check('search.html#modifiers', 'URIs by the segments of their paths', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const base = `http://example.org/${scope.tag.code}`;
      const set = (path: string) =>
        scope.create<ValueSet>({ resourceType: 'ValueSet', status: 'draft', url: `${base}${path}` });
      const [root, fhir, one] = [await set(''), await set('/fhir'), await set('/fhir/ValueSet/1')];
      const find = finder(client, 'ValueSet', scope);
      await find(`url:below=${base}/fhir`, [fhir, one]);
      await find(`url:below=${base}/fhir/`, [fhir, one]);
      await find(`url:below=${base}/fh`, [], 'a segment is whole');
      await find(`url:below=${base}`, [root, fhir, one]);
      await find(`url:above=${base}/fhir/ValueSet/1`, [root, fhir, one]);
      await find(`url:above=${base}/fhir/other`, [root, fhir]);
      await find(`url=${base}/fhir`, [fhir]);
    });

    check('search.html#modifiers', 'a canonical is found with its version and without', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const profile = `http://example.org/StructureDefinition/${scope.tag.code}`;
      const patient = await scope.create<Patient>({ resourceType: 'Patient', meta: { profile: [`${profile}|1.0`] } });
      const find = finder(client, 'Patient', scope);
      await find(`_profile=${encodeURIComponent(`${profile}|1.0`)}`, [patient]);
      await find(`_profile=${profile}`, [patient]);
      await find(`_profile=${encodeURIComponent(`${profile}|2.0`)}`, []);
    });

    check('search.html#token', ':in and :not-in a value set, with systems and without', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const patient = (gender?: Patient['gender']) =>
        scope.create<Patient>({
          resourceType: 'Patient',
          ...(gender === undefined ? {} : { gender }),
        });
      const [female, unknown, none] = [await patient('female'), await patient('unknown'), await patient()];
      const find = finder(client, 'Patient', scope);
      await find('gender:in=http://hl7.org/fhir/ValueSet/administrative-gender', [female, unknown]);
      await find('gender:not-in=http://hl7.org/fhir/ValueSet/administrative-gender', [none]);
      await find('gender:in=http://hl7.org/fhir/ValueSet/contact-point-system', []);
      const visit = (code: string, system = V3_ACT_CODE) =>
        scope.create({
          resourceType: 'Encounter',
          status: 'finished',
          class: { system, code },
          subject: { reference: `Patient/${female.id}` },
        } as Resource);
      const [inpatient, other] = [await visit('IMP'), await visit('IMP', 'urn:other')];
      const encounters = finder(client, 'Encounter', scope);
      const set = 'http://terminology.hl7.org/ValueSet/v3-ActEncounterCode';
      await encounters(`class:in=${set}`, [inpatient]);
      await encounters(`class:not-in=${set}`, [other]);
      await encounters('patient.gender:in=http://hl7.org/fhir/ValueSet/administrative-gender', [inpatient, other]);
      await find(`_has:Encounter:patient:class:in=${set}`, [female]);
    });

    check('search.html#token', 'a value set that is not here, or has parts that are not, is refused', async () => {
      const { client } = await target;
      for (const set of [
        'http://example.org/ValueSet/none',
        'http://hl7.org/fhir/ValueSet/administrative-gender|0.0',
        'http://hl7.org/fhir/ValueSet/condition-code',
      ]) {
        refused(await client.get(`Condition?code:in=${set}`), 400, 'search-not-supported', 'code:in');
      }
    });
  });
}
