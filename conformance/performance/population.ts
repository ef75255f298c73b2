import type { Bundle, BundleEntry, Consent, Observation, Patient, Resource } from '@medplum/fhirtypes';

/**
 * The records that are read and searched, made of numbers: nothing is random, and every id follows from its index.
 * Each patient has 20 Observations and one Consent, which compiles to exactly one rule.
 */
export interface Population {
  readonly patients: number;
  /** Of Observations. */
  readonly ids: number;
  readonly patientId: (patient: number) => string;
  readonly observationId: (index: number) => string;
  /** Transactions that put everything at a base, the Consents first; in any order within `records`. */
  readonly consents: () => Generator<Push>;
  readonly records: () => Generator<Push>;
  /** Searches with this many matches each, all for different things. */
  readonly searches: (matches: 5 | 50) => readonly string[];
}

/** One transaction Bundle. */
export interface Push {
  readonly body: Buffer;
  readonly entries: number;
}

/** Of each patient. */
export const OBSERVATIONS = 20;
const SAME_CODE = 50;
const CONSENTS_PER_BUNDLE = 100;
const PATIENTS_PER_BUNDLE = 5;
/** Each patient has as many Observations of each. */
export const CATEGORIES = ['vital-signs', 'laboratory', 'survey', 'social-history'];
const TERMINOLOGY = 'http://terminology.hl7.org/CodeSystem';

/**
 * @param ids how many Observations; a multiple of 1,000, so that every search has the matches that it is said to have
 * @param grantee the institution that every patient permits to read for research
 */
export function population(ids: number, grantee: string): Population {
  const patients = ids / OBSERVATIONS;
  const codes = ids / SAME_CODE;
  const patientId = (patient: number) => `p-${patient}`;
  const observationId = (index: number) => `o-${index}`;
  const everyone = Array.from({ length: patients }, (_, patient) => patient);
  return {
    patients,
    ids,
    patientId,
    observationId,
    *consents() {
      for (const group of inGroups(everyone, CONSENTS_PER_BUNDLE)) {
        yield transaction(group.map((patient) => consentOf(`c-${patient}`, patientId(patient), grantee)));
      }
    },
    *records() {
      for (const group of inGroups(everyone, PATIENTS_PER_BUNDLE)) {
        yield transaction(group.flatMap((patient) => recordOf(patient)));
      }
    },
    searches(matches) {
      if (matches === SAME_CODE) {
        return Array.from(
          { length: codes },
          (_, code) => `Observation?code=http://loinc.org%7C${codeOf(code)}&_count=50`,
        );
      }
      return everyone.flatMap((patient) =>
        CATEGORIES.map((category) => `Observation?patient=Patient/${patientId(patient)}&category=${category}`),
      );
    },
  };

  function recordOf(patient: number): readonly Resource[] {
    const id = patientId(patient);
    const observations = Array.from({ length: OBSERVATIONS }, (_, number) => {
      const index = patient * OBSERVATIONS + number;
      return observationOf(observationId(index), id, index, codeOf(index % codes));
    });
    return [patientOf(id, patient), ...observations];
  }
}

/** Transactions of about 100 new records, which the server names; each call makes another. */
export function* newRecords(): Generator<Push> {
  for (let bundle = 0; ; bundle++) {
    const people = Array.from({ length: PATIENTS_PER_BUNDLE }, (_, one) => bundle * PATIENTS_PER_BUNDLE + one);
    yield transaction(
      people.flatMap((patient) => {
        const id = `new-${patient}`;
        return [
          patientOf(id, patient),
          ...Array.from({ length: OBSERVATIONS }, (_, k) => newObservation(id, patient * OBSERVATIONS + k)),
        ];
      }),
    );
  }
}

/** Without an id, so that the server gives one. */
export function newObservation(patient: string, index: number): Observation {
  const { id: _, ...observation } = observationOf('', patient, index, codeOf(index % 97));
  return observation;
}

/** A number as a LOINC code looks. */
function codeOf(number: number): string {
  return `${10_000 + number}-${number % 10}`;
}

export function patientOf(id: string, number: number): Patient {
  return {
    resourceType: 'Patient',
    id,
    identifier: [{ system: 'urn:oid:2.16.156.10011.1.3', value: `11010119800101${String(number).padStart(6, '0')}` }],
    name: [{ use: 'official', family: `Family${number % 5000}`, given: [`Given${number % 700}`] }],
    telecom: [{ system: 'phone', value: `1380${String(number).padStart(7, '0')}`, use: 'mobile' }],
    gender: number % 2 === 0 ? 'female' : 'male',
    birthDate: `19${40 + (number % 60)}-0${1 + (number % 9)}-1${number % 10}`,
    address: [{ line: [`${number} Chaoyang Road`], city: 'Beijing', postalCode: '100020', country: 'CN' }],
  };
}

export function observationOf(id: string, patient: string, index: number, code: string): Observation {
  const category = CATEGORIES[index % CATEGORIES.length] ?? '';
  const day = `20${10 + (index % 15)}-0${1 + (index % 9)}-${10 + (index % 19)}T08:${10 + (index % 50)}:00+08:00`;
  return {
    resourceType: 'Observation',
    id,
    status: 'final',
    category: [{ coding: [{ system: `${TERMINOLOGY}/observation-category`, code: category, display: category }] }],
    code: {
      coding: [{ system: 'http://loinc.org', code, display: `Measured quantity ${code}` }],
      text: `Quantity ${code}`,
    },
    subject: { reference: `Patient/${patient}` },
    encounter: { reference: `Encounter/e-${Math.floor(index / 4)}` },
    effectiveDateTime: day,
    issued: day,
    performer: [{ reference: `Practitioner/d-${index % 200}`, display: `Dr. ${index % 200}` }],
    valueQuantity: {
      value: (index % 4000) / 8,
      unit: 'mmol/L',
      system: 'http://unitsofmeasure.org',
      code: 'mmol/L',
    },
    referenceRange: [{ low: { value: 3.5, unit: 'mmol/L' }, high: { value: 5.5, unit: 'mmol/L' } }],
  };
}

/** As a practitioner records a signed paper. */
export function consentOf(id: string, patient: string, grantee: string): Consent {
  return {
    resourceType: 'Consent',
    id,
    status: 'active',
    scope: { coding: [{ system: `${TERMINOLOGY}/consentscope`, code: 'research' }] },
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
    patient: { reference: `Patient/${patient}` },
    dateTime: '2026-01-01',
    sourceReference: { reference: `DocumentReference/paper-of-${patient}` },
    verification: [{ verified: true }],
    provision: {
      type: 'permit',
      actor: [
        {
          role: { coding: [{ system: `${TERMINOLOGY}/v3-ParticipationType`, code: 'IRCP' }] },
          reference: { reference: `Organization/${grantee}` },
        },
      ],
      purpose: [{ system: `${TERMINOLOGY}/v3-ActReason`, code: 'HRESCH' }],
    },
  };
}

/** What has an id is put there, the rest is created. */
export function transaction(resources: readonly Resource[]): Push {
  const entry = resources.map((resource): BundleEntry => {
    const { id, resourceType } = resource;
    const request =
      id === undefined
        ? { method: 'POST' as const, url: resourceType }
        : { method: 'PUT' as const, url: `${resourceType}/${id}` };
    return { resource, request };
  });
  const bundle: Bundle = { resourceType: 'Bundle', type: 'transaction', entry };
  return { body: Buffer.from(JSON.stringify(bundle)), entries: entry.length };
}

export function inGroups<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, group) =>
    items.slice(group * size, (group + 1) * size),
  );
}
