import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Consent, ConsentProvision } from '@medplum/fhirtypes';
import { hl7Example } from '../../conformance/support/sample-data.ts';
import { MedSealError } from '../errors.ts';
import { isResourceType } from '../fhir/definitions/definitions.ts';
import { parseReference } from '../fhir/references/reference.ts';
import { type ConsentNames, parseConsent } from './parse-consent.ts';
import { ALWAYS, type ConsentPolicy } from './policy.ts';

const INSTITUTIONS = ['f001', 'hospital-b'];

/** A node on which HL7's Organization/f001 is the institution itself. */
const names: ConsentNames = {
  self: 'f001/Consent/c',
  version: 3,
  isResourceType,
  isOwn: (name) => name.startsWith('f001/'),
  resolve(text) {
    const reference = parseReference(text);
    if (reference?.kind === 'absolute') {
      const [, base] = /^https:\/\/node\/(.+)\/fhir$/.exec(reference.base) ?? [];
      return base === undefined ? undefined : `${base}/${reference.type}/${reference.id}`;
    }
    if (reference?.kind !== 'relative') return undefined;
    const base = reference.type === 'Organization' && INSTITUTIONS.includes(reference.id) ? reference.id : 'f001';
    return `${base}/${reference.type}/${reference.id}`;
  },
};

const concept = (system: string, ...codes: readonly string[]) => ({ coding: codes.map((code) => ({ system, code })) });
const scope = (...codes: readonly string[]) => concept('http://terminology.hl7.org/CodeSystem/consentscope', ...codes);
const rule = (...codes: readonly string[]) => concept('http://terminology.hl7.org/CodeSystem/v3-ActCode', ...codes);
const role = (...codes: readonly string[]) =>
  concept('http://terminology.hl7.org/CodeSystem/v3-ParticipationType', ...codes);
const action = (code: string) => concept('http://terminology.hl7.org/CodeSystem/consentaction', code);
const actor = (reference: string) => ({ role: role('IRCP'), reference: { reference } });
const type = (code: string) => ({ system: 'http://hl7.org/fhir/resource-types', code });
const DAY = 86_400_000;

function consent(more: object): Consent {
  return {
    resourceType: 'Consent',
    status: 'active',
    scope: scope('patient-privacy'),
    category: [],
    patient: { reference: 'Patient/p' },
    ...more,
  } as Consent;
}

/** Without a policyRule unless told. */
const rooted = (provision: object, more: object = {}) => consent({ provision, ...more });
/** One attribute at the root of an opt-out, which makes it a permit. */
const permits = (attributes: ConsentProvision) => rooted(attributes, { policyRule: rule('OPTOUT') });

function parse(one: Consent): ConsentPolicy {
  return parseConsent(one, names);
}

function firstProvision(one: Consent) {
  const [first] = parse(one).provisions;
  assert.ok(first !== undefined);
  return first;
}

function refused(one: Consent, expression: string): void {
  assert.throws(
    () => parse(one),
    (error) => {
      assert.ok(error instanceof MedSealError);
      assert.equal(error.code, 'unenforceable-consent');
      assert.equal(error.issues[0]?.expression, expression);
      assert.ok(error.message.startsWith(`${expression} `));
      return true;
    },
  );
}

describe('the base effect', () => {
  const specific = { class: [type('Observation')] };
  for (const [why, given, base, root] of [
    ['OPTIN permits', { policyRule: rule('OPTIN') }, 'permit', undefined],
    ['OPTOUT denies', { policyRule: rule('OPTOUT') }, 'deny', undefined],
    ['a bare root gives it', { provision: { type: 'permit' } }, 'permit', undefined],
    [
      'a bare root with nested provisions too',
      { provision: { type: 'deny', provision: [{ type: 'permit' }] } },
      'deny',
      'permit',
    ],
    ['a bare root that agrees', { policyRule: rule('OPTOUT'), provision: { type: 'deny' } }, 'deny', undefined],
    ['a bare root without a type agrees', { policyRule: rule('OPTIN'), provision: {} }, 'permit', undefined],
    ['a root with attributes gives none', { provision: { type: 'permit', ...specific } }, undefined, 'permit'],
    [
      'a root with attributes is a rule of its own',
      { policyRule: rule('OPTIN'), provision: { type: 'permit', ...specific } },
      'permit',
      'permit',
    ],
    [
      'one without a type is the opposite of OPTIN',
      { policyRule: rule('OPTIN'), provision: specific },
      'permit',
      'deny',
    ],
    [
      'one without a type is the opposite of OPTOUT',
      { policyRule: rule('OPTOUT'), provision: specific },
      'deny',
      'permit',
    ],
  ] as const) {
    test(why, () => {
      const policy = parse(consent(given));
      assert.equal(policy.base, base);
      assert.equal(policy.provisions[0]?.effect, root);
    });
  }

  test('neither a policyRule nor a root', () => refused(consent({}), 'Consent.provision.type'));
  test('neither a policyRule nor a root type', () => refused(rooted(specific), 'Consent.provision.type'));
  test('a bare root that contradicts', () =>
    refused(rooted({ type: 'deny' }, { policyRule: rule('OPTIN') }), 'Consent.provision.type'));
  for (const [why, policyRule] of [
    ['another code', rule('OPTINR')],
    ['both codes', rule('OPTIN', 'OPTOUT')],
    ['a code that says more', { coding: [...rule('OPTIN').coding, { system: 'urn:x', code: 'cric' }] }],
    ['the code of another system', concept('urn:x', 'OPTIN')],
    ['words alone', { text: 'opt in' }],
  ] as const) {
    test(`policyRule: ${why}`, () => refused(rooted({ type: 'permit' }, { policyRule }), 'Consent.policyRule'));
  }
});

describe('in force', () => {
  for (const status of ['draft', 'proposed', 'rejected', 'inactive', 'entered-in-error']) {
    test(`not when ${status}, whatever else it says`, () => {
      const policy = parse(consent({ status, provision: { type: 'permit', modifierExtension: [] } }));
      assert.equal(policy.inForce, false);
      assert.equal(policy.base, undefined);
      assert.deepEqual(policy.provisions, []);
      assert.equal(policy.patient, 'f001/Patient/p');
    });
  }
  for (const [code, inForce] of [
    ['patient-privacy', true],
    ['research', true],
    ['treatment', false],
    ['adr', false],
  ] as const) {
    test(`scope ${code}: ${inForce}`, () =>
      assert.equal(parse(consent({ scope: scope(code), policyRule: rule('OPTIN') })).inForce, inForce));
  }
  test('scopes that are both about records', () =>
    assert.equal(
      parse(consent({ scope: scope('research', 'patient-privacy'), policyRule: rule('OPTIN') })).inForce,
      true,
    ));
  for (const [why, given] of [
    ['of which one is about treatment', scope('patient-privacy', 'treatment')],
    ['unknown', scope('billing')],
    ['of another system', concept('urn:x', 'research')],
    ['in words', { text: 'research' }],
  ] as const) {
    test(`a scope ${why}`, () => refused(consent({ scope: given, policyRule: rule('OPTIN') }), 'Consent.scope'));
  }
});

describe('the patient', () => {
  for (const [why, patient] of [
    ['missing', undefined],
    ['by identifier alone', { identifier: { value: '1' } }],
    ['of another type', { reference: 'Practitioner/p' }],
    ['contained', { reference: '#p' }],
    ['of another base', { reference: 'https://node/hospital-b/fhir/Patient/p' }],
    ['of another server', { reference: 'https://elsewhere/fhir/Patient/p' }],
  ] as const) {
    test(`refused when ${why}`, () => refused(consent({ patient, policyRule: rule('OPTIN') }), 'Consent.patient'));
    test(`nobody’s while not in force, when ${why}`, () =>
      assert.equal(parse(consent({ patient, status: 'draft' })).patient, undefined));
  }
});

describe('what would change the meaning', () => {
  const root = { type: 'permit', actor: [actor('Organization/hospital-b')] };
  for (const [expression, given] of [
    ['Consent.modifierExtension', rooted(root, { modifierExtension: [] })],
    ['Consent.implicitRules', rooted(root, { implicitRules: 'urn:x' })],
    ['Consent.verification[0].modifierExtension', rooted(root, { verification: [{ modifierExtension: [] }] })],
    ['Consent.provision.modifierExtension', rooted({ ...root, modifierExtension: [] })],
    [
      'Consent.provision.actor[0].modifierExtension',
      rooted({ ...root, actor: [{ ...actor('x'), modifierExtension: [] }] }),
    ],
    [
      'Consent.provision.provision[1].modifierExtension',
      rooted({ ...root, provision: [{ type: 'deny' }, { modifierExtension: [] }] }),
    ],
  ] as const) {
    test(expression, () => refused(given, expression));
  }
  test('an ordinary extension does not', () => assert.equal(parse(rooted({ ...root, extension: [] })).inForce, true));
});

describe('the tree', () => {
  test('is as deep as it comes, with a path for each provision', () => {
    const nest = (depth: number): object =>
      depth === 0 ? { type: 'deny' } : { type: 'permit', provision: [{ type: 'deny' }, nest(depth - 1)] };
    let found = firstProvision(rooted({ ...nest(6), class: [type('Observation')] }));
    const paths = [found.path];
    for (let next = found.nested[1]; next !== undefined; next = found.nested[1]) {
      found = next;
      paths.push(found.path);
    }
    assert.deepEqual(paths, ['0', '0.1', '0.1.1', '0.1.1.1', '0.1.1.1.1', '0.1.1.1.1.1', '0.1.1.1.1.1.1']);
    assert.equal(found.effect, 'deny');
  });

  test('under a bare root begins with what is nested', () => {
    const policy = parse(rooted({ type: 'deny', provision: [{ type: 'permit' }, { type: 'deny' }] }));
    assert.deepEqual(
      policy.provisions.map(({ path, effect }) => [path, effect]),
      [
        ['0.0', 'permit'],
        ['0.1', 'deny'],
      ],
    );
  });

  test('needs a type for what is nested', () =>
    refused(rooted({ type: 'deny', provision: [{ type: 'permit' }, {}] }), 'Consent.provision.provision[1].type'));
  test('also where the base is known', () =>
    refused(rooted({ provision: [{}] }, { policyRule: rule('OPTIN') }), 'Consent.provision.provision[0].type'));
  test('takes a type that is only said to be absent for no type to infer', () =>
    refused(
      permits({ class: [type('Patient')], _type: { extension: [] } } as ConsentProvision),
      'Consent.provision.type',
    ));
});

describe('periods', () => {
  const period = (given: object) => rooted({ type: 'permit', period: given });
  const at = Date.parse;
  for (const [why, given, from, until] of [
    ['a day to a day, both included', { start: '2020-02-28', end: '2020-02-29' }, at('2020-02-28'), at('2020-03-01')],
    ['years', { start: '2020', end: '2021' }, at('2020-01-01'), at('2022-01-01')],
    ['a month', { start: '2020-12', end: '2020-12' }, at('2020-12-01'), at('2021-01-01')],
    ['open at the end', { start: '2020' }, at('2020-01-01'), Number.POSITIVE_INFINITY],
    ['open at the beginning', { end: '2020' }, Number.NEGATIVE_INFINITY, at('2021-01-01')],
    [
      'instants with a zone, the last second included',
      { start: '2020-01-01T08:00:00+08:00', end: '2020-01-01T00:00:30Z' },
      at('2020-01-01T00:00:00Z'),
      at('2020-01-01T00:00:31Z'),
    ],
    ['milliseconds', { end: '2020-01-01T00:00:00.250Z' }, Number.NEGATIVE_INFINITY, at('2020-01-01T00:00:00.251Z')],
  ] as const) {
    test(why, () => assert.deepEqual(parse(period(given)).period, { from, until }));
  }

  test('of a bare root bounds the whole consent', () => {
    const policy = parse(
      rooted({ period: { end: '2020' }, provision: [{ type: 'deny' }] }, { policyRule: rule('OPTIN') }),
    );
    assert.equal(policy.base, 'permit');
    assert.equal(policy.period.until, at('2021-01-01'));
    assert.deepEqual(policy.provisions[0]?.period, ALWAYS);
  });

  test('of a root with attributes too: it is the one that R4 has for a consent', () => {
    const policy = parse(rooted({ period: { end: '2020' }, class: [type('Patient')] }, { policyRule: rule('OPTIN') }));
    assert.equal(policy.base, 'permit');
    assert.equal(policy.period.until, at('2021-01-01'));
    assert.equal(policy.provisions[0]?.period.until, at('2021-01-01'));
  });

  for (const [expression, given] of [
    ['Consent.provision.period', {}],
    ['Consent.provision.period', { start: '2021', end: '2020' }],
    ['Consent.provision.period.start', { start: '2020-02-30' }],
    ['Consent.provision.period.end', { start: '2020', end: 'soon' }],
    ['Consent.provision.period.end', { start: '2020', _end: { extension: [] } }],
  ] as const) {
    test(`refused: ${JSON.stringify(given)}`, () => refused(period(given), expression));
  }
});

describe('dataPeriod', () => {
  const days = (dataPeriod: object) => permits({ dataPeriod });
  test('covers whole days', () =>
    assert.deepEqual(firstProvision(days({ start: '2020-03', end: '2020-03-31' })).dataPeriod, {
      from: Date.UTC(2020, 2, 1),
      until: Date.UTC(2020, 2, 31) + DAY,
    }));
  for (const [expression, given] of [
    ['Consent.provision.dataPeriod', {}],
    ['Consent.provision.dataPeriod', { start: '2021-02-01', end: '2021-01' }],
    ['Consent.provision.dataPeriod.start', { start: '2020-01-01T00:00:00Z' }],
    ['Consent.provision.dataPeriod.end', { end: '2020-01-01T00:00:00Z' }],
    ['Consent.provision.dataPeriod.end', { end: '20' }],
    ['Consent.provision.dataPeriod.end', { end: '2199' }],
    ['Consent.provision.dataPeriod.start', { start: '1800' }],
  ] as const) {
    test(`refused: ${JSON.stringify(given)}`, () => refused(days(given), expression));
  }
  test('the first and the last day that the index can tell apart', () =>
    assert.ok(firstProvision(days({ start: '1800-01-02', end: '2199-12-30' })).dataPeriod));
});

describe('actor', () => {
  const one = (given: object) => permits({ actor: [given] } as ConsentProvision);
  for (const [reference, expected] of [
    ['Organization/hospital-b', 'hospital-b/Organization/hospital-b'],
    ['Practitioner/d', 'f001/Practitioner/d'],
    ['https://node/hospital-b/fhir/Practitioner/d', 'hospital-b/Practitioner/d'],
    ['Patient/q', 'f001/Patient/q'],
    ['RelatedPerson/r', 'f001/RelatedPerson/r'],
    ['Organization/cardiology', 'f001/Organization/cardiology'],
    ['https://node/hospital-b/fhir/Organization/cardiology', 'hospital-b/Organization/cardiology'],
    ['PractitionerRole/x', 'f001/PractitionerRole/x'],
    ['Group/x', 'f001/Group/x'],
    ['Device/x', 'f001/Device/x'],
  ] as const) {
    test(reference, () => assert.deepEqual(firstProvision(one(actor(reference))).actors, [expected]));
  }
  test('IRCP and PRCP together', () =>
    assert.ok(firstProvision(one({ ...actor('Practitioner/d'), role: role('IRCP', 'PRCP') })).actors));
  for (const [why, given] of [
    ['another role', role('CST')],
    ['another role beside', role('IRCP', 'AUT')],
    ['the role of another system', concept('urn:x', 'IRCP')],
    ['a role in words', { text: 'recipient' }],
    ['no role', undefined],
  ] as const) {
    test(`refused: ${why}`, () =>
      refused(one({ ...actor('Practitioner/d'), role: given }), 'Consent.provision.actor[0].role'));
  }
  for (const reference of [
    'https://elsewhere/fhir/Practitioner/d',
    ...['CareTeam/x', 'Location/x', '#d', 'urn:uuid:5c2e1d36-5f1b-4f0e-8f25-1d1f7e0e1c11'],
  ]) {
    test(`refused: ${reference}`, () => refused(one(actor(reference)), 'Consent.provision.actor[0].reference'));
  }
  test('refused: an identifier alone', () =>
    refused(
      one({ role: role('IRCP'), reference: { identifier: { value: '1' } } }),
      'Consent.provision.actor[0].reference',
    ));
  const acts = (system: string, code: string, reference = 'RelatedPerson/r') => ({
    role: concept(`http://terminology.hl7.org/CodeSystem/${system}`, code),
    reference: { reference },
  });
  for (const [system, code, kind] of [
    ['v3-RoleClass', 'GUARD', 'guardian'],
    ['v3-RoleCode', 'HPOWATT', 'proxy'],
    ['v3-RoleCode', 'RESPRSN', 'proxy'],
    ['v3-RoleCode', 'DELEGATEE', 'proxy'],
  ] as const) {
    test(`${code} represents`, () => {
      const { actors, represents } = firstProvision(one(acts(system, code)));
      assert.deepEqual([actors, represents], [[`${kind} f001/RelatedPerson/r`], true]);
    });
  }
  test('what is nested below a representative may be let correct too, on every level', () => {
    const correct: ConsentProvision = { type: 'permit', action: [action('correct')] };
    const below = { type: 'permit', provision: [correct, { type: 'deny', class: [type('Patient')] }] };
    const root = { actor: [acts('v3-RoleCode', 'HPOWATT')], provision: [correct, below] };
    const { nested, represents } = firstProvision(permits(root as ConsentProvision));
    assert.deepEqual([represents, nested.map((one) => one.represents)], [true, [false, false]]);
    assert.deepEqual(nested[0]?.actions, ['write']);
    assert.deepEqual(nested[1]?.nested[0]?.actions, ['write']);
    refused(
      permits({ ...root, actor: [actor('Practitioner/d')] } as ConsentProvision),
      `Consent.provision.provision[0].action[0].coding[0]`,
    );
  });

  test('a representative may be let correct, and nobody else', () => {
    const correct = { action: [action('correct')] };
    const let_ = permits({ actor: [acts('v3-RoleCode', 'HPOWATT')], ...correct } as ConsentProvision);
    assert.deepEqual(firstProvision(let_).actions, ['write']);
    refused(
      permits({ actor: [actor('Practitioner/d')], ...correct } as ConsentProvision),
      'Consent.provision.action[0].coding[0]',
    );
  });
  for (const [why, actors, at] of [
    ['a representative who is no RelatedPerson', [acts('v3-RoleCode', 'HPOWATT', 'Practitioner/d')], '[0].reference'],
    [
      'one of another base',
      [acts('v3-RoleCode', 'HPOWATT', 'https://node/hospital-b/fhir/RelatedPerson/r')],
      '[0].reference',
    ],
    ['representative and recipient together', [acts('v3-RoleCode', 'HPOWATT'), actor('Practitioner/d')], ''],
  ] as const) {
    test(`refused: ${why}`, () =>
      refused(permits({ actor: actors } as unknown as ConsentProvision), `Consent.provision.actor${at}`));
  }
  test('refused: a deny to a representative', () =>
    refused(
      permits({ provision: [{ type: 'deny', actor: [acts('v3-RoleCode', 'HPOWATT')] }] } as ConsentProvision),
      'Consent.provision.provision[0].actor',
    ));
  test('refused: nobody', () => refused(permits({ actor: [] }), 'Consent.provision.actor'));
});

describe('the other attributes', () => {
  const profile = 'http://example.org/profile';
  for (const [why, given, expected] of [
    ['access', { action: [action('access')] }, { actions: ['read'] }],
    ['use and disclose', { action: [action('use'), action('disclose')] }, { actions: ['read', 'disclose'] }],
    [
      'count',
      { action: [concept('https://medseal.org/fhir/CodeSystem/consent-action', 'count')] },
      { actions: ['count'] },
    ],
    [
      'purposes',
      { purpose: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'CLINTRCH' }] },
      { purposes: ['CLINTRCH'] },
    ],
    ['a purpose whose system goes without saying', { purpose: [{ code: 'TREAT' }] }, { purposes: ['TREAT'] }],
    ['a type', { class: [type('Observation')] }, { classes: [{ kind: 'type', type: 'Observation' }] }],
    ['a profile', { class: [{ code: profile }] }, { classes: [{ kind: 'profile', url: profile }] }],
    [
      'a type by its own definition, which records need not claim',
      { class: [{ code: 'http://hl7.org/fhir/StructureDefinition/Observation' }] },
      { classes: [{ kind: 'type', type: 'Observation' }] },
    ],
    [
      'a profile of HL7’s',
      { class: [{ code: 'http://hl7.org/fhir/StructureDefinition/lipidprofile' }] },
      { classes: [{ kind: 'profile', url: 'http://hl7.org/fhir/StructureDefinition/lipidprofile' }] },
    ],
    [
      'each coding of each concept',
      { code: [concept('urn:x', '1', '2'), concept('urn:y', '3')] },
      {
        codes: [
          { system: 'urn:x', code: '1' },
          { system: 'urn:x', code: '2' },
          { system: 'urn:y', code: '3' },
        ],
      },
    ],
    [
      'labels',
      { securityLabel: [{ system: 'urn:x', code: '1', display: 'one' }] },
      { labels: [{ system: 'urn:x', code: '1' }] },
    ],
    [
      'data',
      {
        data: [
          { meaning: 'instance', reference: { reference: 'Observation/1' } },
          { meaning: 'authoredby', reference: { reference: 'Practitioner/d' } },
        ],
      },
      {
        data: [
          { meaning: 'instance', resource: 'f001/Observation/1' },
          { meaning: 'authoredby', resource: 'f001/Practitioner/d' },
        ],
      },
    ],
  ] as const) {
    test(why, () =>
      assert.partialDeepStrictEqual(firstProvision(permits(given as unknown as ConsentProvision)), expected),
    );
  }

  const reference = { reference: 'Observation/1' };
  for (const [expression, given] of [
    ['action[0]', { action: [{ text: 'read' }] }],
    ['action[0].coding[0]', { action: [action('correct')] }],
    ['action[1].coding[0]', { action: [action('access'), action('collect')] }],
    ['action[0].coding[0]', { action: [concept('urn:x', 'access')] }],
    ['purpose[0]', { purpose: [{ code: 'FUN' }] }],
    ['purpose[0]', { purpose: [{ system: 'urn:x', code: 'TREAT' }] }],
    ['purpose[0]', { purpose: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason' }] }],
    ['class[0]', { class: [{ code: 'Observation' }] }],
    ['class[0]', { class: [type('Blood')] }],
    ['class[0]', { class: [type('Resource')] }],
    ['class[0]', { class: [type(profile)] }],
    ['class[0]', { class: [{ code: `${profile}|1.0` }] }],
    ['class[0]', { class: [{ system: 'urn:ietf:bcp:13', code: 'application/hl7-cda+xml' }] }],
    ['class[0]', { class: [{ display: 'Observation' }] }],
    ['code[0]', { code: [{ text: 'HIV' }] }],
    ['code[0].coding[0]', { code: [{ coding: [{ code: '1' }] }] }],
    ['code[0].coding[0]', { code: [{ coding: [{ system: 'urn:x' }] }] }],
    ['securityLabel[0]', { securityLabel: [{ code: 'R' }] }],
    ['data[0].meaning', { data: [{ meaning: 'related', reference }] }],
    ['data[0].meaning', { data: [{ reference }] }],
    ['data[0].reference', { data: [{ meaning: 'instance', reference: { display: 'that one' } }] }],
    ['data[0].reference', { data: [{ meaning: 'instance', reference: { reference: 'Observation/1/_history/2' } }] }],
    ...(['action', 'purpose', 'class', 'code', 'securityLabel', 'data'] as const).map(
      (element) => [element, { [element]: [] }] as const,
    ),
  ] as const) {
    test(`refused: ${JSON.stringify(given)}`, () =>
      refused(permits(given as ConsentProvision), `Consent.provision.${expression}`));
  }

  test('are refused at any depth', () => {
    const nested = { type: 'deny', provision: [{ type: 'deny' }, { type: 'permit', code: [{ text: 'x' }] }] };
    refused(rooted({ type: 'permit', provision: [nested] }), 'Consent.provision.provision[0].provision[1].code[0]');
  });
});

describe("HL7's own examples", () => {
  for (const [name, expression, why] of [
    ['Emergency', 'Consent.provision.actor[0].role', 'it names a custodian, not a recipient'],
    ['Out', 'Consent.provision.actor[0].role', 'it names a custodian, not a recipient'],
    ['grantor', 'Consent.provision.actor[0].role', 'it names a custodian beside a recipient'],
    ['notAuthor', 'Consent.provision.actor[0].role', 'it names a custodian, not a recipient'],
    ['notOrg', 'Consent.provision.action[1].coding[0]', 'corrections are not decided by consents'],
    ['notThem', 'Consent.provision.action[1].coding[0]', 'corrections are not decided by consents'],
    ['notThis', 'Consent.provision.data[0].meaning', 'what is related to a Task is not known'],
    ['pkb', 'Consent.provision.provision[0].type', 'its exceptions do not say what they are'],
    ['signature', 'Consent.provision.provision[0].actor[0].role', 'an author is no recipient'],
  ] as const) {
    test(`${name} is refused: ${why}`, () => refused(example(name), expression));
  }

  for (const [name, from, until] of [
    ['basic', Date.UTC(1964, 0, 1), Date.UTC(2016, 0, 2)],
    ['notTime', Date.UTC(2015, 0, 1), Date.UTC(2015, 1, 2)],
  ] as const) {
    test(`${name} opts in for a time`, () => {
      const { base, period, provisions } = parse(example(name));
      assert.deepEqual({ base, period, provisions }, { base: 'permit', period: { from, until }, provisions: [] });
    });
  }

  test('smartonfhir opts in for half an hour, and permits again one type in it', () => {
    const { base, period, provisions } = parse(example('smartonfhir'));
    assert.equal(base, 'permit');
    assert.deepEqual(period, { from: Date.UTC(2016, 5, 23, 7, 2, 33), until: Date.UTC(2016, 5, 23, 7, 32, 34) });
    assert.equal(provisions.length, 1);
    assert.partialDeepStrictEqual(provisions[0], {
      path: '0.0',
      effect: 'permit',
      actions: ['read'],
      classes: [{ kind: 'type', type: 'MedicationRequest' }],
    });
  });

  function example(name: string): Consent {
    return JSON.parse(Buffer.from(hl7Example(`Consent-consent-example-${name}.json`).bytes).toString('utf8'));
  }
});
