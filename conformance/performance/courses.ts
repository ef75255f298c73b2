import type { Encounter, Observation } from '@medplum/fhirtypes';
import {
  CATEGORIES,
  inGroups,
  OBSERVATIONS,
  observationOf,
  type Population,
  type Push,
  patientOf,
  transaction,
} from './population.ts';

/**
 * What happened to some of a population's patients besides: one in four has the Encounters that their Observations name, and
 * one in twenty, who is followed for long, 50 more Observations of one quantity. Made of numbers too; and no search of the
 * population finds more by it.
 */
export interface Courses {
  /** How many resources `pushes` puts. */
  readonly entries: number;
  /** Transactions that put everything, once the population is there. */
  readonly pushes: () => Generator<Push>;
  /** Different requests of each kind, in order. */
  readonly questions: Readonly<Record<Kind, () => readonly Question[]>>;
}

export type Kind =
  | 'search-sorted-5'
  | 'search-sorted-50'
  | 'search-encounters'
  | 'search-patient'
  | 'search-include'
  | 'search-chain'
  | 'everything';

/** A request, below the base, and what its answer holds. */
export interface Question {
  readonly path: string;
  readonly entries: number;
  /** Where there is an order: which comes first of all, and which last (`{type}/{id}`). */
  readonly ends?: readonly [first: string, last: string];
}

const VISITED = 4;
const FOLLOWED = 20;
/** Of each who is followed. */
const SERIES = 50;
/** Codes of the hospital's own beside that of the series: each is that of a tenth of it. */
const PARTS = 10;
const ANALYTES = 20;
const ENCOUNTERS = 5;
const PARTS_SYSTEM = 'urn:oid:2.16.156.10011.2.99';
/** The patient, their Consent, and the Provenance that names the patient itself: R4's compartment has no other. */
const BESIDES = 3;
const ENTRIES_PER_BUNDLE = 100;
const MONTH = 30 * 86_400_000;

export function coursesOf({ patients, patientId }: Population): Courses {
  const every = (step: number) => Array.from({ length: Math.ceil(patients / step) }, (_, one) => one * step);
  const visited = every(VISITED);
  const followed = every(FOLLOWED);
  const subject = (patient: number) => `patient=Patient/${patientId(patient)}`;
  return {
    entries: visited.length * ENCOUNTERS + followed.length * SERIES,
    *pushes() {
      for (const group of inGroups(visited, ENTRIES_PER_BUNDLE / ENCOUNTERS)) {
        yield transaction(group.flatMap((patient) => encountersOf(patient, patientId(patient))));
      }
      for (const group of inGroups(followed, ENTRIES_PER_BUNDLE / SERIES)) {
        yield transaction(group.flatMap((patient) => seriesOf(patient, patientId(patient))));
      }
    },
    questions: {
      'search-sorted-5': () =>
        followed.flatMap((patient) =>
          Array.from({ length: PARTS }, (_, part) => {
            const code = `code=${PARTS_SYSTEM}%7C${partOf(part)}`;
            return sorted(
              patient,
              `Observation?${subject(patient)}&${code}&_sort=-date`,
              (index) => partAt(index) === part,
            );
          }),
        ),
      'search-sorted-50': () =>
        followed.map((patient) => {
          const code = `code=http://loinc.org%7C${analyteOf(patient)}`;
          return sorted(patient, `Observation?${subject(patient)}&${code}&_sort=-date&_count=${SERIES}`, () => true);
        }),
      'search-encounters': () =>
        visited.map((patient) => ({ path: `Encounter?${subject(patient)}`, entries: ENCOUNTERS })),
      'search-patient': () => byNameAndBirth(patients),
      'search-include': () =>
        visited.flatMap((patient) =>
          CATEGORIES.map((category) => ({
            path:
              `Observation?${subject(patient)}&category=${category}` +
              '&_include=Observation:patient&_include=Observation:encounter',
            // As many Encounters as Observations, and the patient once.
            entries: (2 * OBSERVATIONS) / CATEGORIES.length + 1,
          })),
        ),
      'search-chain': () =>
        every(1).flatMap((patient) =>
          CATEGORIES.map((category) => {
            const [{ system, value } = {}] = patientOf('', patient).identifier ?? [];
            return {
              path: `Observation?patient.identifier=${system}%7C${value}&category=${category}`,
              entries: OBSERVATIONS / CATEGORIES.length,
            };
          }),
        ),
      everything: () =>
        followed.map((patient) => ({
          path: `Patient/${patientId(patient)}/$everything`,
          entries: BESIDES + OBSERVATIONS + ENCOUNTERS + SERIES,
        })),
    },
  };

  function sorted(patient: number, path: string, isAsked: (index: number) => boolean): Question {
    const found = Array.from({ length: SERIES }, (_, index) => index)
      .filter(isAsked)
      .sort((one, other) => monthOf(patient, other) - monthOf(patient, one));
    const [first = 0, last = 0] = [found[0], found.at(-1)];
    return {
      path,
      entries: found.length,
      ends: [`Observation/${seriesId(patient, first)}`, `Observation/${seriesId(patient, last)}`],
    };
  }
}

/** Those of whom nobody else of that birth date has a name that begins alike. */
function byNameAndBirth(patients: number): readonly Question[] {
  const born = new Map<string, string[]>();
  const everyone = Array.from({ length: patients }, (_, number) => {
    const { name: [{ family = '' } = {}] = [], birthDate = '' } = patientOf('', number);
    born.set(birthDate, [...(born.get(birthDate) ?? []), family]);
    return { family, birthDate };
  });
  return everyone
    .filter(({ family, birthDate }) => born.get(birthDate)?.filter((other) => other.startsWith(family)).length === 1)
    .map(({ family, birthDate }) => ({ path: `Patient?name=${family}&birthdate=${birthDate}`, entries: 1 }));
}

/** Those that the patient's Observations of the population name. */
function encountersOf(patient: number, id: string): readonly Encounter[] {
  return Array.from({ length: ENCOUNTERS }, (_, number) => {
    const index = patient * ENCOUNTERS + number;
    const day = new Date(Date.UTC(2010, 0, 1) + (index % 180) * MONTH).toISOString().slice(0, 10);
    return {
      resourceType: 'Encounter',
      id: `e-${index}`,
      status: 'finished',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB', display: 'ambulatory' },
      type: [{ coding: [{ system: 'http://snomed.info/sct', code: '185345009', display: 'Encounter for symptom' }] }],
      subject: { reference: `Patient/${id}` },
      participant: [{ individual: { reference: `Practitioner/d-${index % 200}`, display: `Dr. ${index % 200}` } }],
      period: { start: `${day}T08:00:00+08:00`, end: `${day}T08:${10 + (index % 50)}:00+08:00` },
      reasonCode: [{ text: `Reason ${index % 300}` }],
    };
  });
}

/** A month apart, and not put in the order of their dates. */
function seriesOf(patient: number, id: string): readonly Observation[] {
  return Array.from({ length: SERIES }, (_, index) => {
    const { issued: _issued, ...observation } = observationOf(seriesId(patient, index), id, index, analyteOf(patient));
    const { coding = [] } = observation.code;
    const part = partOf(partAt(index));
    const at = Date.UTC(2021, 0, 1) + monthOf(patient, index) * MONTH;
    return {
      ...observation,
      category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'exam' }] }],
      code: { ...observation.code, coding: [...coding, { system: PARTS_SYSTEM, code: part, display: `Part ${part}` }] },
      encounter: { reference: `Encounter/followed-${patient}-${index}` },
      effectiveDateTime: new Date(at).toISOString(),
    };
  });
}

function seriesId(patient: number, index: number): string {
  return `s-${patient}-${index}`;
}

/** Each month once. */
function monthOf(patient: number, index: number): number {
  return (index * 17 + patient) % SERIES;
}

function partAt(index: number): number {
  return index % PARTS;
}

function partOf(part: number): string {
  return `part-${part}`;
}

/** Many patients have the same. */
function analyteOf(patient: number): string {
  return `${80_000 + ((patient / FOLLOWED) % ANALYTES)}-1`;
}
