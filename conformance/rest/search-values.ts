// Longer than 300 lines: a list of tests, which a reader looks up one by one.
import assert from 'node:assert/strict';
import { suite } from 'node:test';
import type {
  Encounter,
  Observation,
  OperationOutcome,
  Organization,
  Patient,
  Resource,
  ValueSet,
} from '@medplum/fhirtypes';
import { check } from './case.ts';
import { entries, finder, ids, linkOf, newScope, refused } from './support.ts';
import type { RestTarget } from './target.ts';

/** http://hl7.org/fhir/R4/search.html#token, #reference, #string, #uri */
export function searchByValue(target: Promise<RestTarget>): void {
  suite('search by token', () => {
    check('search.html#ptypes', 'code, system|code, |code and system|', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const loinc = await scope.create(observation({ coding: [{ system: 'http://loinc.org', code: '718-7' }] }));
      const local = await scope.create(
        observation({
          coding: [
            { system: 'urn:local', code: '718-7' },
            { system: 'urn:local', code: 'Hb' },
          ],
        }),
      );
      const bare = await scope.create(observation({ coding: [{ code: '718-7' }] }));
      const find = finder(client, 'Observation', scope);
      await find('code=718-7', [loinc, local, bare]);
      await find('code=http://loinc.org|718-7', [loinc]);
      await find('code=|718-7', [bare]);
      await find('code=urn:local|', [local]);
      await find('code=urn:local|Hb,http://loinc.org|718-7', [local, loinc]);
      await find('code=718-7&code=Hb', [local]);
      await find('code=718', []);
      await find('code=HB', [], 'codes differ by case');
    });

    check('search.html#ptypes', 'identifiers, booleans, codes, and a separator that is part of a value', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const one = await scope.create<Patient>({
        resourceType: 'Patient',
        active: true,
        gender: 'female',
        identifier: [{ system: 'urn:a', value: 'x,y|z$\\' }],
      });
      const two = await scope.create<Patient>({
        resourceType: 'Patient',
        active: false,
        gender: 'male',
        identifier: [{ value: '110101199003074477' }],
      });
      const find = finder(client, 'Patient', scope);
      await find(`identifier=${encodeURIComponent('urn:a|x\\,y\\|z\\$\\\\')}`, [one]);
      await find('identifier=110101199003074477', [two]);
      await find('identifier=|110101199003074477', [two]);
      await find('active=true', [one]);
      await find('active=false', [two]);
      await find('gender=male', [two]);
      await find('gender:not=male', [one]);
      await find('gender:not=male,female', []);
    });

    check('search.html#ptypes', ':missing and :not take what has no value', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const told = await scope.create<Patient>({ resourceType: 'Patient', gender: 'female' });
      const untold = await scope.create<Patient>({ resourceType: 'Patient' });
      const find = finder(client, 'Patient', scope);
      await find('gender:missing=true', [untold]);
      await find('gender:missing=false', [told]);
      await find('gender:not=male', [told, untold]);
    });

    check('search.html#ptypes', ':of-type finds an identifier by its type', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const type = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }] };
      const typed = await scope.create<Patient>({ resourceType: 'Patient', identifier: [{ type, value: '4711' }] });
      await scope.create<Patient>({ resourceType: 'Patient', identifier: [{ value: '4711' }] });
      const find = finder(client, 'Patient', scope);
      await find('identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|4711', [typed]);
      await find('identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|4712', []);
    });

    check('search.html#ptypes', '_id, _tag, _profile and _security', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const security = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'N' }];
      const profile = ['http://example.org/StructureDefinition/a'];
      const one = await scope.create<Patient>({
        resourceType: 'Patient',
        meta: { security, profile, tag: [{ code: 'blue' }] },
      });
      const two = await scope.create<Patient>({ resourceType: 'Patient' });
      const find = finder(client, 'Patient', scope);
      await find(`_id=${one.id}`, [one]);
      await find(`_id=${one.id},${two.id},none`, [one, two]);
      await find('_tag=blue', [one]);
      await find('_tag=|blue', [one]);
      await find('_security=N', [one]);
      await find('_profile=http://example.org/StructureDefinition/a', [one]);
      await find('_profile=http://example.org/StructureDefinition/b', []);
    });
  });

  suite('search by string', () => {
    check('search.html#ptypes', 'begins with, whatever the case and the accents', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const muller = await scope.create(named({ family: 'Müller-Lüdenscheidt', given: ['José'] }));
      const mueller = await scope.create(named({ family: 'Mueller', given: ['Anna', 'Maria'] }));
      const find = finder(client, 'Patient', scope);
      await find('family=m%C3%BCl', [muller]);
      await find('family=MUL', [muller]);
      await find('family=m', [muller, mueller]);
      await find('family=uller', [], 'not from the middle');
      await find('given=jose', [muller]);
      await find('given=maria', [mueller], 'each of several given names');
      await find('name=anna', [mueller]);
      await find(`family=${encodeURIComponent('Müller-Lüdenscheidt')}`, [muller], 'longer than an index token');
      await find(`family=${encodeURIComponent('Müller-Lüdenscheidtz')}`, []);
      await find('family:exact=Mueller', [mueller]);
      await find('family:exact=mueller', []);
      await find('family=mu,m%C3%BC', [muller, mueller]);
    });

    check('search.html#ptypes', 'Chinese names, by family name, full name and form of width', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const wang = await scope.create(named({ text: '王小明', family: '王', given: ['小明'] }));
      const wangwu = await scope.create(named({ text: '王五', family: '王', given: ['五'] }));
      const ouyang = await scope.create(named({ text: '欧阳娜娜', family: '欧阳', given: ['娜娜'] }));
      const find = finder(client, 'Patient', scope);
      await find(`family=${encodeURIComponent('王')}`, [wang, wangwu]);
      await find(`name=${encodeURIComponent('王小')}`, [wang]);
      await find(`name=${encodeURIComponent('欧')}`, [ouyang]);
      await find(`given=${encodeURIComponent('小明')}`, [wang]);
      await find(`name:exact=${encodeURIComponent('王五')}`, [wangwu]);
      await find(`name=${encodeURIComponent('小')}`, [wang], 'a given name begins with it');
      const wide = await scope.create(named({ family: 'ＡＢＣ' }));
      await find('family=abc', [wide]);
    });

    check('search.html#ptypes', 'addresses by each of their parts', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const patient = await scope.create<Patient>({
        resourceType: 'Patient',
        address: [{ line: ['12 Main Street'], city: '北京市', postalCode: '100000', country: 'CN' }],
      });
      const find = finder(client, 'Patient', scope);
      await find(`address-city=${encodeURIComponent('北京')}`, [patient]);
      await find('address=12%20main', [patient]);
      await find('address-postalcode=1000', [patient]);
      await find('address-country=cn', [patient]);
      await find('address-country=c%20n', []);
    });
  });

  suite('search by reference', () => {
    check('search.html#ptypes', 'id, Type/id, absolute URL, type modifier and identifier', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const patient = await scope.create<Patient>({ resourceType: 'Patient' });
      const other = await scope.create<Patient>({ resourceType: 'Patient' });
      const mine = await scope.create(about(`Patient/${patient.id}`));
      const absolute = await scope.create(about(`${client.base}/Patient/${patient.id}`));
      const group = await scope.create(about(`Group/${patient.id}`));
      const elsewhere = await scope.create(about(`http://example.org/fhir/Patient/${patient.id}`));
      await scope.create(about(`Patient/${other.id}`));
      const logical = await scope.create<Observation>({
        ...observation({ text: 'x' }),
        subject: { identifier: { system: 'urn:a', value: '7' } },
      });
      const find = finder(client, 'Observation', scope);
      await find(`subject=${patient.id}`, [mine, absolute, group]);
      await find(`subject=Patient/${patient.id}`, [mine, absolute]);
      await find(`patient=${patient.id}`, [mine, absolute]);
      await find(`patient=Patient/${patient.id}`, [mine, absolute]);
      await find(`subject:Patient=${patient.id}`, [mine, absolute]);
      await find(`subject:Group=${patient.id}`, [group]);
      await find(`subject=${client.base}/Patient/${patient.id}`, [mine, absolute]);
      await find(`subject=http://example.org/fhir/Patient/${patient.id}`, [elsewhere]);
      await find('subject:identifier=urn:a|7', [logical]);
      await find('subject=Patient/none', []);
    });

    check('search.html#ptypes', 'one-step chains, typed where it must be, and several at once', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const anna = await scope.create<Patient>({
        resourceType: 'Patient',
        gender: 'female',
        name: [{ family: 'Anna' }],
        birthDate: '1990-05-01',
      });
      const bert = await scope.create<Patient>({ resourceType: 'Patient', gender: 'male', name: [{ family: 'Bert' }] });
      const ofAnna = await scope.create(about(`Patient/${anna.id}`));
      const ofBert = await scope.create(about(`Patient/${bert.id}`));
      const ofGroup = await scope.create(about('Group/1'));
      const find = finder(client, 'Observation', scope);
      await find('subject:Patient.family=anna', [ofAnna]);
      await find('patient.family=anna', [ofAnna]);
      await find('patient.gender=male', [ofBert]);
      await find('patient.gender:not=male', [ofAnna]);
      await find('patient.birthdate=lt2000', [ofAnna]);
      await find('patient.gender=male,female', [ofAnna, ofBert]);
      await find('patient.gender=female&patient.family=bert', []);
      await find(`patient._id=${bert.id}`, [ofBert]);
      await find(`patient._tag=${scope.tag.system}|${scope.tag.code}`, [ofAnna, ofBert]);
      await find('subject:missing=false', [ofAnna, ofBert, ofGroup]);
    });

    check('search.html#ptypes', '_has: what is referred to by something', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const anna = await scope.create<Patient>({ resourceType: 'Patient' });
      const bert = await scope.create<Patient>({ resourceType: 'Patient' });
      await scope.create(about(`Patient/${anna.id}`, { coding: [{ code: 'a' }] }));
      await scope.create(about(`Patient/${bert.id}`, { coding: [{ code: 'b' }] }));
      await scope.create(visit(`Patient/${anna.id}`));
      const find = finder(client, 'Patient', scope);
      await find('_has:Observation:patient:code=a', [anna]);
      await find('_has:Observation:patient:code=a,b', [anna, bert]);
      await find('_has:Encounter:patient:status=finished', [anna]);
      await find('_has:Encounter:patient:status=finished&_has:Observation:patient:code=b', []);
      await find('_has:Observation:patient:code=c', []);
    });

    check('search.html#ptypes', 'a deleted resource is at neither end of a chain', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const patient = await scope.create<Patient>({ resourceType: 'Patient', gender: 'other' });
      const seen = await scope.create(about(`Patient/${patient.id}`, { coding: [{ code: 'a' }] }));
      await finder(client, 'Observation', scope)('patient.gender=other', [seen]);
      await client.delete(`Patient/${patient.id}`);
      await finder(client, 'Observation', scope)('patient.gender=other', []);
      const second = await scope.create<Patient>({ resourceType: 'Patient' });
      const about2 = await scope.create(about(`Patient/${second.id}`, { coding: [{ code: 'a' }] }));
      await client.delete(`Observation/${about2.id}`);
      await finder(client, 'Patient', scope)('_has:Observation:patient:code=a', []);
    });
  });

  suite('search by uri', () => {
    check('search.html#ptypes', 'exactly', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const url = `http://example.org/ValueSet/${scope.tag.code}`;
      const set = await scope.create<ValueSet>({ resourceType: 'ValueSet', status: 'draft', url });
      const find = finder(client, 'ValueSet', scope);
      await find(`url=${url}`, [set]);
      await find(`url=${url}/`, []);
      await find(`url=${url.slice(0, -1)}`, []);
    });
  });

  suite('searches that are refused', () => {
    check('search.html#ptypes', 'unknown parameters, unless the client is lenient', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const { id } = await scope.create<Organization>({ resourceType: 'Organization', name: 'A' });
      refused(await client.get('Organization?nonsense=1'), 400, 'unknown-parameter', 'nonsense');
      refused(await client.get('Organization?name:nonsense=1'), 400, 'invalid-parameter');
      refused(await client.get('Organization?_sort=nonsense'), 400, 'unknown-parameter', '_sort');
      const lenient = await client.get(`Organization?nonsense=1&${scope.query}`, { prefer: 'handling=lenient' });
      assert.deepEqual(ids(lenient), [id]);
      assert.equal(linkOf(lenient, 'self')?.includes('nonsense'), false, 'the self link tells what was understood');
      const outcome = entries(lenient).find(({ search }) => search?.mode === 'outcome')?.resource as OperationOutcome;
      assert.deepEqual(
        outcome.issue.map(({ severity, expression }) => [severity, expression]),
        [['warning', ['nonsense']]],
      );
    });

    check('search.html#ptypes', 'what this server does not answer is refused, never passed over', async () => {
      const { client } = await target;
      for (const query of [
        'Patient?_revinclude=AuditEvent:entity',
        'Patient?_contained=true',
        'Patient?_sort=_score',
        'Patient?organization:above=x',
        'Patient?_content=x',
        'Patient?_text=x',
        'Patient?_query=x',
        'Patient?_filter=name%20eq%20x',
        'Condition?code:below=http://snomed.info/sct|73211009',
        'Condition?code:above=73211009',
        'Location?near=1|2',
      ]) {
        for (const prefer of ['handling=strict', 'handling=lenient']) {
          refused(await client.get(query, { prefer }), 400, 'search-not-supported');
        }
      }
    });

    check('search.html#ptypes', 'values that are none', async () => {
      const { client } = await target;
      for (const query of [
        'identifier=',
        'identifier=a|b|c',
        'gender:missing=maybe',
        '_count=x',
        '_count=-1',
        '_total=all',
        'organization=a/b/c/d',
        '_summary=x',
        '_id=',
      ]) {
        refused(await client.get(`Patient?${query}`), 400, 'invalid-parameter', query.split('=')[0]);
      }
    });

    check('search.html#ptypes', 'the same searches by POST', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const { id } = await scope.create(named({ family: '王' }));
      const form = { 'content-type': 'application/x-www-form-urlencoded' };
      const body = new URLSearchParams({ _tag: `${scope.tag.system}|${scope.tag.code}`, family: '王' }).toString();
      const found = await client.post('Patient/_search', body, form);
      assert.deepEqual(ids(found), [id]);
      assert.ok(!found.text.includes(encodeURIComponent('王')), 'no link repeats what was posted');
      assert.deepEqual(
        ids(await client.post(`Patient/_search?${scope.query}`, 'family=nobody', form)),
        [],
        'both count',
      );
      refused(await client.post('Patient/_search', 'nonsense=1', form), 400, 'unknown-parameter', 'nonsense');
      refused(await client.post('Patient/_search', '{}'), 415, 'unsupported-media-type');
    });
  });
}

function observation(code: Observation['code'], more: Partial<Observation> = {}): Observation {
  return { resourceType: 'Observation', status: 'final', code, ...more };
}

function about(reference: string, code: Observation['code'] = { text: 'x' }): Observation {
  return observation(code, { subject: { reference } } as Partial<Observation>);
}

function visit(reference: string): Encounter {
  return {
    resourceType: 'Encounter',
    status: 'finished',
    class: { code: 'AMB' },
    subject: { reference },
  } as Encounter & Resource;
}

function named(name: NonNullable<Patient['name']>[number]): Patient {
  return { resourceType: 'Patient', name: [name] };
}
