import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Resource } from '@medplum/fhirtypes';
import { institutionsNamed, NOW } from '../../conformance/support/consent-fixtures.ts';
import type { Criterion } from '../repository/criteria.ts';
import { createNames } from '../repository/names.ts';
import type { Principal } from '../request-context.ts';
import { createIdentities } from '../sealing/identity.ts';
import { type ActingAs, createActingAs, LABEL_STEWARD } from './acting-as.ts';
import type { ActorLookup, ActorRecord } from './actor-lookup.ts';

const names = createNames({
  institutions: institutionsNamed('a', 'b'),
  identities: createIdentities(Buffer.alloc(32, 5)),
  publicUrl: 'https://node',
});
const CLIENT = 'urn:ietf:rfc:6749:client_id';
const [PAST, FUTURE] = ['2024-01-01', '2025-01-01'];

/** Records of institution `a`, or of `b` where their id says so; found as the blind index would. */
function lookupOf(resources: readonly object[], asked: string[] = []): ActorLookup {
  const records = resources.map((resource): ActorRecord<Resource> => {
    const { resourceType, id = '' } = resource as Resource;
    const institution = id.startsWith('b-') ? 'b' : 'a';
    return { name: names.name(institution, resourceType, id), institution, resource: resource as Resource };
  });
  const nameOf: ActorLookup['nameOf'] = (reference, institution) =>
    reference === undefined ? undefined : names.name(institution, ...(reference.split('/') as [string, string]));
  const tokensOf = ({ resource, institution }: ActorRecord<Resource>): readonly string[] => {
    const {
      practitioner,
      member = [],
      identifier = [],
    } = resource as {
      practitioner?: { reference: string };
      member?: { entity: { reference: string } }[];
      identifier?: { system: string; value: string }[];
    };
    return [
      ...[practitioner, ...member.map(({ entity }) => entity)].map((one) => nameOf(one?.reference, institution) ?? ''),
      ...identifier.map(({ system, value }) => `${system}|${value}`),
    ];
  };
  return {
    async find<T extends Resource>(type: string, institution: string | undefined, criterion: Criterion) {
      asked.push(type);
      const wanted = criterion as unknown as { readonly wanted: readonly string[] };
      return records.filter(
        (one) =>
          one.resource.resourceType === type &&
          (institution ?? one.institution) === one.institution &&
          [one.name, ...tokensOf(one)].some((token) => wanted.wanted.includes(token)),
      ) as readonly ActorRecord<Resource>[] as readonly ActorRecord<T>[];
    },
    byName: (name) => ({ wanted: [name] }) as unknown as Criterion,
    refersTo: (_base, _code, targets) => ({ wanted: targets }) as unknown as Criterion,
    byIdentifier: (_base, system, value) => ({ wanted: [`${system}|${value}`] }) as unknown as Criterion,
    nameOf,
  };
}

function principal(user: string | undefined, more: Partial<Principal> = {}): Principal {
  const [institution = 'a', type = '', id = ''] = user?.split('/') ?? [];
  const own = user === undefined ? {} : { user: { institution, type, id } };
  return { clientId: 'pump', institution: 'a', scopes: [], purposes: [], administrator: false, ...own, ...more };
}

async function acts(user: string | undefined, resources: readonly object[], more: Partial<Principal> = {}) {
  const acting = await createActingAs(lookupOf(resources), names, async () => undefined);
  return [...(await acting.resolve(principal(user, more), NOW))].sort();
}

const role = (more: object = {}, id = 'r') => ({
  resourceType: 'PractitionerRole',
  id,
  practitioner: { reference: 'Practitioner/d' },
  organization: { reference: 'Organization/ward' },
  ...more,
});
const organization = (id: string, more: object = {}) => ({ resourceType: 'Organization', id, ...more });
const partOf = (id: string) => ({ partOf: { reference: `Organization/${id}` } });
const group = (member: string, more: object = {}, inside: object = {}) => ({
  resourceType: 'Group',
  id: 'g',
  actual: true,
  member: [{ entity: { reference: member }, ...inside }],
  ...more,
});
const DOCTOR = 'a/Practitioner/d';
/** Beside themselves and their institution, which everybody acts as. */
const NOBODY: readonly string[] = [];

describe('staff act', () => {
  test('as nobody else of whom nothing is told', async () => {
    assert.deepEqual(await acts(DOCTOR, []), NOBODY);
  });

  test('as a role, its department and what that is part of', async () => {
    const found = await acts(DOCTOR, [role(), organization('ward', partOf('clinic')), organization('clinic')]);
    assert.deepEqual(found, ['a/Organization/clinic', 'a/Organization/ward', 'a/PractitionerRole/r'].sort());
  });

  test('not as a role that is over, to come, inactive, or of a period that says nothing', async () => {
    for (const more of [
      { active: false },
      { period: { end: PAST } },
      { period: { start: FUTURE } },
      { period: { start: 'soon' } },
    ]) {
      assert.deepEqual(await acts(DOCTOR, [role(more), organization('ward')]), NOBODY, JSON.stringify(more));
    }
    assert.equal((await acts(DOCTOR, [role({ active: true, period: { start: PAST } })])).length, 2);
  });

  test('not as a department that is inactive, nor as what is above it', async () => {
    const found = await acts(DOCTOR, [role(), organization('ward', { active: false, ...partOf('clinic') })]);
    assert.deepEqual(found, ['a/PractitionerRole/r'].sort());
  });

  test('as no department of another institution, and in a circle of departments once each', async () => {
    const elsewhere = await acts(DOCTOR, [role({ organization: { reference: 'Organization/b' } })]);
    assert.deepEqual(elsewhere, ['a/PractitionerRole/r'].sort());
    const circle = [organization('ward', partOf('clinic')), organization('clinic', partOf('ward'))];
    assert.equal((await acts(DOCTOR, [role(), ...circle])).length, 3);
  });

  test('as ten departments above each other at most', async () => {
    const chain = Array.from({ length: 14 }, (_, level) => organization(`o${level}`, partOf(`o${level + 1}`)));
    const found = await acts(DOCTOR, [role({ organization: { reference: 'Organization/o0' } }), ...chain]);
    assert.equal(found.filter((name) => name.startsWith('a/Organization/o')).length, 10);
  });

  test('as a label steward, by a role of that code while it holds', async () => {
    const code = (system: string, one: string) => ({ code: [{ coding: [{ system, code: one }] }] });
    const steward = code('https://medseal.org/fhir/CodeSystem/staff-role', 'label-steward');
    assert.ok((await acts(DOCTOR, [role(steward)])).includes(LABEL_STEWARD));
    for (const more of [
      { ...steward, active: false },
      { ...steward, period: { end: PAST } },
      code('urn:x', 'label-steward'),
      code('https://medseal.org/fhir/CodeSystem/staff-role', 'x'),
    ]) {
      assert.ok(!(await acts(DOCTOR, [role(more)])).includes(LABEL_STEWARD), JSON.stringify(more));
    }
  });

  test('of a role: as the person who holds it', async () => {
    const found = await acts('a/PractitionerRole/r', [role({ organization: undefined })]);
    assert.deepEqual(found, [DOCTOR, 'a/PractitionerRole/r']);
  });

  test('of another type: as nobody', async () => {
    assert.deepEqual(await acts('a/Person/d', [role({ practitioner: { reference: 'Person/d' } })]), NOBODY);
  });
});

describe('whoever is a member of a group acts as that', () => {
  test('themselves, their institution, or by a role', async () => {
    assert.ok((await acts(DOCTOR, [group('Practitioner/d')])).includes('a/Group/g'));
    assert.ok((await acts(DOCTOR, [group('Organization/a')])).includes('a/Group/g'));
    assert.ok((await acts(DOCTOR, [role(), group('PractitionerRole/r')])).includes('a/Group/g'));
    assert.ok((await acts(undefined, [group('Organization/a')])).includes('a/Group/g'));
  });

  test('as long as the membership and what it rests on hold', async () => {
    for (const [inside, expected] of [
      [{ inactive: true }, false],
      [{ inactive: false }, true],
      [{ period: { end: PAST } }, false],
      [{ period: { start: FUTURE } }, false],
      [{ period: { start: PAST, end: FUTURE } }, true],
      [{ period: { end: 'never' } }, false],
    ] as const) {
      const found = await acts(DOCTOR, [group('Practitioner/d', {}, inside)]);
      assert.equal(found.includes('a/Group/g'), expected, JSON.stringify(inside));
    }
    for (const period of [{ end: PAST }, { start: FUTURE }]) {
      const ended = [role({ period }), group('PractitionerRole/r', {}, { period: { start: PAST, end: FUTURE } })];
      assert.deepEqual(await acts(DOCTOR, ended), NOBODY);
    }
  });

  test('but of none that is inactive or only described', async () => {
    assert.deepEqual(await acts(DOCTOR, [group('Practitioner/d', { active: false })]), NOBODY);
    assert.deepEqual(await acts(DOCTOR, [group('Practitioner/d', { actual: false })]), NOBODY);
    assert.deepEqual(await acts(DOCTOR, [group('Practitioner/somebody')]), NOBODY);
  });
});

describe('a client without a user acts as the Device that names it', () => {
  const device = (more: object = {}, id = 'x') => ({
    resourceType: 'Device',
    id,
    identifier: [{ system: CLIENT, value: 'pump' }],
    ...more,
  });

  test('while that is active, and of its own institution', async () => {
    assert.deepEqual(await acts(undefined, [device()]), ['a/Device/x']);
    assert.deepEqual(await acts(undefined, [device({ status: 'active' })]), ['a/Device/x']);
    assert.deepEqual(await acts(undefined, [device({ status: 'inactive' })]), NOBODY);
    assert.deepEqual(await acts(undefined, [device({}, 'b-x')]), NOBODY);
    assert.deepEqual(await acts(undefined, [device()], { clientId: 'other' }), NOBODY);
    assert.deepEqual(await acts(DOCTOR, [device()]), NOBODY, 'not of a person');
  });
});

describe('a RelatedPerson acts', () => {
  const FATHER = 'a/RelatedPerson/f';
  const person = (more: object = {}) => ({
    resourceType: 'RelatedPerson',
    id: 'f',
    patient: { reference: 'Patient/p' },
    ...more,
  });
  const child = (birthDate: string | undefined) => ({ resourceType: 'Patient', id: 'p', birthDate });
  const proxy = [`proxy ${FATHER}`, FATHER].sort();

  test('as proxy, and as guardian of a minor', async () => {
    assert.deepEqual(await acts(FATHER, [person(), child('2020')]), [FATHER, `guardian ${FATHER}`, `proxy ${FATHER}`]);
    assert.deepEqual(await acts(FATHER, [person(), child('1980')]), proxy);
    assert.deepEqual(await acts(FATHER, [person(), child(undefined)]), proxy);
    assert.deepEqual(await acts(FATHER, [person()]), proxy);
  });

  test('until the birthday on which the patient is of age', async () => {
    assert.equal((await acts(FATHER, [person(), child('2006-06-16')])).length, 3);
    assert.equal((await acts(FATHER, [person(), child('2006-06-15')])).length, 2);
    assert.equal((await acts(FATHER, [person(), child('2006-06')])).length, 2, 'the earliest day that it may be');
    assert.equal((await acts(FATHER, [person(), child('unknown')])).length, 2);
  });

  test('as nobody when the relation is over, of nobody, or not there', async () => {
    for (const more of [
      { active: false },
      { period: { end: PAST } },
      { period: { start: FUTURE } },
      { period: { end: 'x' } },
      { patient: undefined },
    ]) {
      assert.deepEqual(await acts(FATHER, [person(more), child('2020')]), [], JSON.stringify(more));
    }
    assert.deepEqual(await acts(FATHER, []), []);
    assert.equal((await acts(FATHER, [person({ active: true, period: { start: PAST } }), child('1980')])).length, 2);
  });

  test('asked for anew each time', async () => {
    const asked: string[] = [];
    const acting = await createActingAs(lookupOf([person()], asked), names, async () => undefined);
    await acting.resolve(principal(FATHER), NOW);
    const once = asked.length;
    await acting.resolve(principal(FATHER), NOW);
    assert.equal(asked.length, 2 * once);
  });
});

describe('patients and administrators act as nobody else', () => {
  test('and nothing is looked up', async () => {
    const asked: string[] = [];
    const acting = await createActingAs(lookupOf([group('Patient/p')], asked), names, async () => undefined);
    assert.deepEqual(await acting.resolve(principal('a/Patient/p'), NOW), []);
    assert.deepEqual(await acting.resolve(principal(undefined, { administrator: true }), NOW), []);
    assert.deepEqual(asked, []);
  });
});

describe('what is known of staff', () => {
  async function cached(resources: readonly object[], asked: string[]) {
    const forget: { changed?: () => void } = {};
    const acting: ActingAs = await createActingAs(lookupOf(resources, asked), names, async (changed) => {
      forget.changed = changed;
    });
    return { acting, forget };
  }

  test('is kept until something changes', async () => {
    const asked: string[] = [];
    const { acting, forget } = await cached([], asked);
    await acting.resolve(principal(DOCTOR), NOW);
    const once = asked.length;
    await acting.resolve(principal(DOCTOR), NOW);
    assert.equal(asked.length, once);
    await acting.resolve(principal('a/Practitioner/e'), NOW);
    assert.equal(asked.length, 2 * once, 'of each of them');
    forget.changed?.();
    await acting.resolve(principal(DOCTOR), NOW);
    assert.equal(asked.length, 3 * once);
  });

  test('ends with its period all the same', async () => {
    const { acting } = await cached([role({ period: { start: PAST, end: '2024-06-15' } })], []);
    assert.ok((await acting.resolve(principal(DOCTOR), NOW)).includes('a/PractitionerRole/r'));
    assert.ok(!(await acting.resolve(principal(DOCTOR), NOW + 86_400_000)).includes('a/PractitionerRole/r'));
  });

  test('is not kept when it could not be found out', async () => {
    let fail = true;
    const lookup = lookupOf([]);
    const failing: ActorLookup = {
      ...lookup,
      find: async (...given) => {
        if (fail) throw new Error('away');
        return lookup.find(...given);
      },
    };
    const acting = await createActingAs(failing, names, async () => undefined);
    await assert.rejects(acting.resolve(principal(DOCTOR), NOW), /away/);
    fail = false;
    assert.deepEqual([...(await acting.resolve(principal(DOCTOR), NOW))].sort(), NOBODY);
  });
});
