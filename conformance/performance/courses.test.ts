/** Every question has the answer that it is said to have, decided without an index by the resources alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bundle, Encounter, Observation, Patient, Resource } from '@medplum/fhirtypes';
import { coursesOf, type Kind, type Question } from './courses.ts';
import { type Push, population } from './population.ts';
import { questionRequest } from './scenarios.ts';

const people = population(12_000, 'research-institute');
const courses = coursesOf(people);
const here = [...people.consents(), ...people.records()].flatMap(resourcesOf);
const added = [...courses.pushes()].flatMap(resourcesOf);
const byReference = new Map([...here, ...added].map((one) => [`${one.resourceType}/${one.id}`, one]));
const byPatient = Map.groupBy([...here, ...added], (one) => patientOf(one) ?? '');
const patients = [...byReference.values()].filter((one) => one.resourceType === 'Patient');

const KINDS: readonly (readonly [Kind, number])[] = [
  ['search-sorted-5', 5],
  ['search-sorted-50', 50],
  ['search-encounters', 5],
  ['search-patient', 1],
  ['search-include', 11],
  ['search-chain', 5],
  ['everything', 78],
];

for (const [kind, entries] of KINDS) {
  test(`${kind}: ${entries} entries each, and no question twice`, () => {
    const questions = courses.questions[kind]();
    assert.ok(questions.length >= people.patients / 20, `${questions.length}`);
    assert.equal(new Set(questions.map(({ path }) => path)).size, questions.length);
    for (const { path, ends, ...question } of questions) {
      const found = answerOf(path);
      assert.deepEqual([question.entries, found.length], [entries, entries], path);
      if (ends !== undefined) assert.deepEqual([found[0], found.at(-1)], ends, path);
    }
  });
}

test('the sorted ones have an order that is not that of their numbers', () => {
  for (const kind of ['search-sorted-5', 'search-sorted-50'] as const) {
    for (const { path, ends } of courses.questions[kind]()) {
      const found = answerOf(path);
      assert.ok(ends !== undefined);
      assert.notDeepEqual(found, found.toSorted(byNumber), path);
      assert.notDeepEqual(found, found.toSorted(byNumber).reverse(), path);
    }
  }
});

test('they are new, and no search of the population finds more for them', () => {
  assert.equal(added.length, courses.entries);
  assert.equal(byReference.size, here.length + added.length);
  const codes = new Set(here.filter(isObservation).flatMap(codesOf));
  const categories = new Set(here.filter(isObservation).map(categoryOf));
  for (const one of added.filter(isObservation)) {
    assert.ok(!categories.has(categoryOf(one)));
    assert.ok(codesOf(one).every((code) => !codes.has(code)));
  }
});

test('an answer of another status, number or order is wrong', () => {
  const question: Question = { path: 'Observation?x', entries: 2, ends: ['Observation/b', 'Observation/a'] };
  const { wrong } = questionRequest(question, 'request');
  const answer = (status: number, ...ids: readonly string[]) => {
    const entry = ids.map((id) => ({ fullUrl: `http://h/Observation/${id}`, resource: { id } }));
    return { status, body: Buffer.from(JSON.stringify({ entry })) };
  };
  assert.equal(wrong(answer(200, 'b', 'a')), undefined);
  assert.match(wrong(answer(404, 'b', 'a')) ?? '', /^404 /);
  assert.equal(wrong(answer(200, 'b')), '1 entries instead of 2');
  assert.match(wrong(answer(200, 'a', 'b')) ?? '', /^from .*\/a to .*\/b instead of from Observation\/b to/);
  assert.match(wrong(answer(200, 'b', 'ba')) ?? '', /^from /);
});

test('of everything each entry counts, of a search the request', () => {
  const question: Question = { path: 'Patient/x/$everything', entries: 78 };
  assert.deepEqual([questionRequest(question, 'resource').units, questionRequest(question, 'request').units], [78, 1]);
});

/** What the server must answer, in the order of the entries where one is asked for. */
function answerOf(path: string): readonly string[] {
  const [target = '', text = ''] = path.split('?');
  const [type, id, operation] = target.split('/');
  if (operation === '$everything') {
    // And the Provenance of the transaction that put the patient.
    return [...namesOf(byPatient.get(`Patient/${id}`) ?? []), 'Provenance/…'];
  }
  const parameters = [...new URLSearchParams(text)];
  const asked = (name: string) => parameters.find(([one]) => one === name)?.[1];
  const criteria = parameters.filter(([name]) => !name.startsWith('_'));
  const chained = parameters.find(([name]) => name === 'patient.identifier');
  const of = chained === undefined ? asked('patient') : namesOf(patients.filter((one) => meets(one, chained)))[0];
  const among = of === undefined ? patients : (byPatient.get(of) ?? []);
  const found = among.filter(
    (one) => one.resourceType === type && criteria.every((criterion) => criterion === chained || meets(one, criterion)),
  );
  if (asked('_sort') === '-date') found.sort((one, other) => dateOf(other) - dateOf(one));
  assert.ok(found.length <= Number(asked('_count') ?? 20));
  const includes = parameters.filter(([name]) => name === '_include').map(([, value]) => value);
  const included = found
    .filter(isObservation)
    .flatMap(({ subject, encounter }) => [
      ...(includes.includes('Observation:patient') ? [subject?.reference ?? ''] : []),
      ...(includes.includes('Observation:encounter') ? [encounter?.reference ?? ''] : []),
    ]);
  return [...namesOf(found), ...new Set(included.filter((reference) => byReference.has(reference)))];
}

function meets(one: Resource, [name, value]: readonly [string, string]): boolean {
  switch (name) {
    case 'patient':
      return patientOf(one) === value;
    case 'code':
      return isObservation(one) && codesOf(one).includes(value);
    case 'category':
      return isObservation(one) && categoryOf(one) === value;
    case 'name':
      return isPatient(one) && (one.name?.[0]?.family?.startsWith(value) ?? false);
    case 'birthdate':
      return isPatient(one) && one.birthDate === value;
    case 'patient.identifier':
      return isPatient(one) && one.identifier?.some(({ system, value: id }) => `${system}|${id}` === value) === true;
    default:
      throw new Error(`${name} is not decided here`);
  }
}

function patientOf(one: Resource): string | undefined {
  if (isPatient(one)) return `Patient/${one.id}`;
  if (one.resourceType === 'Consent') return one.patient?.reference;
  return isObservation(one) || isEncounter(one) ? one.subject?.reference : undefined;
}

function codesOf({ code }: Observation): readonly string[] {
  return (code.coding ?? []).map((coding) => `${coding.system}|${coding.code}`);
}

function categoryOf({ category }: Observation): string | undefined {
  return category?.[0]?.coding?.[0]?.code;
}

function dateOf(one: Resource): number {
  return isObservation(one) ? Date.parse(one.effectiveDateTime ?? '') : Number.NaN;
}

function namesOf(some: readonly Resource[]): readonly string[] {
  return some.map(({ resourceType, id }) => `${resourceType}/${id}`);
}

function byNumber(one: string, other: string): number {
  return Number(one.split('-').at(-1)) - Number(other.split('-').at(-1));
}

function resourcesOf({ body }: Push): readonly Resource[] {
  return ((JSON.parse(body.toString('utf8')) as Bundle).entry ?? []).flatMap(({ resource }) => resource ?? []);
}

function isPatient(one: Resource): one is Patient {
  return one.resourceType === 'Patient';
}

function isObservation(one: Resource): one is Observation {
  return one.resourceType === 'Observation';
}

function isEncounter(one: Resource): one is Encounter {
  return one.resourceType === 'Encounter';
}
