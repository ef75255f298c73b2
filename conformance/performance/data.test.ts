/** What the figures are measured on is what it is said to be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bundle, Consent, Observation, Resource } from '@medplum/fhirtypes';
import { parseConsent } from '../../src/consent/parse-consent.ts';
import { consentRules } from '../../src/consent/rules.ts';
import { newRecords, type Push, population } from './population.ts';
import { permutation } from './scenarios.ts';
import { cutBundle, otherPatient } from './synthea-bundles.ts';

const people = population(2000, 'research-institute');

test('the population has its ids, and every search its matches', () => {
  const observations = [...people.records()].flatMap(resourcesOf).filter(isObservation);
  assert.deepEqual(
    observations.map(({ id }) => id),
    Array.from({ length: people.ids }, (_, index) => people.observationId(index)),
  );
  for (const matches of [5, 50] as const) {
    const searches = people.searches(matches);
    assert.equal(new Set(searches).size, searches.length);
    for (const search of searches) {
      const parameters = new URLSearchParams(search.replace('Observation?', ''));
      const found = observations.filter((one) => [...parameters].every(([name, value]) => answers(one, name, value)));
      assert.equal(found.length, matches, search);
    }
  }
});

test('each consent is one rule, which permits one patient', () => {
  const consents = [...people.consents()].flatMap(resourcesOf) as Consent[];
  assert.equal(consents.length, people.patients);
  const rules = consents.flatMap((consent) =>
    consentRules(
      parseConsent(consent, {
        self: 'a/Consent/c',
        version: 1,
        resolve: (reference) => `${reference.startsWith('Organization/') ? 'research-institute' : 'a'}/${reference}`,
        isOwn: () => true,
        isResourceType: () => true,
      }),
    ),
  );
  assert.equal(rules.length, people.patients);
  assert.ok(rules.every(({ permit, rank }) => permit && rank === 2));
});

test('generated transactions are of about 100 entries, and never the same', () => {
  const pushes = newRecords();
  const bodies = Array.from({ length: 5 }, () => pushes.next().value as Push);
  assert.equal(new Set(bodies.map(({ body }) => body.toString())).size, bodies.length);
  assert.ok(bodies.every((push) => push.entries === resourcesOf(push).length && push.entries > 90));
});

test('a permutation has every number once, in no order', () => {
  const numbers = [...permutation(1000)];
  assert.deepEqual(
    numbers.toSorted((one, other) => one - other),
    Array.from({ length: 1000 }, (_, index) => index),
  );
  assert.notDeepEqual(numbers.slice(0, 10), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual([...permutation(1000)], numbers);
});

test('a patient is cut into pieces that stand alone, and copied under other names', () => {
  const pieces = cutBundle(patientBundle(250), 100);
  assert.deepEqual(
    pieces.map(({ entries }) => entries),
    [84, 84, 83],
  );
  for (const { text } of pieces) {
    const { entry = [] } = JSON.parse(text) as Bundle;
    const here = new Set(entry.map(({ fullUrl }) => fullUrl));
    for (const [, target = ''] of text.matchAll(/"reference":"([^"]+)"/g)) {
      assert.ok(
        here.has(target) || /^Patient\/[0-9a-f-]{36}$/.test(target) || target.startsWith('Organization?'),
        target,
      );
    }
  }
  const [first] = pieces;
  assert.ok(first !== undefined);
  const copies = [0, 1].map((copy) => JSON.parse(otherPatient(first.text, first.ids, copy)) as Bundle);
  const [one = [], other = []] = copies.map(({ entry = [] }) => entry.map(({ fullUrl }) => fullUrl));
  assert.equal(new Set([...one, ...other]).size, one.length * 2);
  assert.deepEqual(copies[0]?.entry?.[0]?.request, {
    method: 'PUT',
    url: `Patient/${copies[0]?.entry?.[0]?.resource?.id}`,
  });
  // What lies outside keeps its name.
  assert.ok(otherPatient(first.text, first.ids, 1).includes(`Organization?identifier=urn:o|${uuid(9999)}`));
});

/** A Patient and as many Observations, as Synthea writes them. */
function patientBundle(observations: number): Bundle {
  const patient = { fullUrl: `urn:uuid:${uuid(0)}`, resource: { resourceType: 'Patient', id: uuid(0) } };
  const others = Array.from({ length: observations }, (_, index) => ({
    fullUrl: `urn:uuid:${uuid(index + 1)}`,
    resource: {
      resourceType: 'Observation',
      subject: { reference: `urn:uuid:${uuid(0)}` },
      performer: [{ reference: `Organization?identifier=urn:o|${uuid(9999)}` }],
    },
    request: { method: 'POST', url: 'Observation' },
  }));
  return { resourceType: 'Bundle', type: 'transaction', entry: [patient, ...others] } as Bundle;
}

function uuid(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
}

function resourcesOf({ body }: Push): readonly Resource[] {
  return ((JSON.parse(body.toString('utf8')) as Bundle).entry ?? []).flatMap(({ resource }) => resource ?? []);
}

function isObservation(resource: Resource): resource is Observation {
  return resource.resourceType === 'Observation';
}

function answers({ subject, category, code }: Observation, name: string, value: string): boolean {
  if (name === 'patient') return subject?.reference === value;
  if (name === 'category') return category?.[0]?.coding?.[0]?.code === value;
  return name !== 'code' || `http://loinc.org|${code.coding?.[0]?.code}` === value;
}
