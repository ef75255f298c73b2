/** Small consents, requests and records for unit tests: what a test does not name restricts nothing and tells nothing. */

import { parseScopes } from '../../src/auth/scopes.ts';
import type { AccessRequest } from '../../src/consent/decide.ts';
import type { RecordFacts, Told } from '../../src/consent/facts.ts';
import { ALWAYS, type ConsentPolicy, type Provision } from '../../src/consent/policy.ts';
import type { InstitutionDirectory } from '../../src/repository/institutions.ts';
import { createJournal, type Principal, type RequestContext } from '../../src/request-context.ts';

export const NOW = Date.UTC(2024, 5, 15, 12);
/** Of hospital-a, as is the record; a colleague at hospital-b asks. */
export const PATIENT = 'hospital-a/Patient/p';
export const OTHER_PATIENT = 'hospital-a/Patient/q';
export const HOSPITAL_B = 'hospital-b/Organization/hospital-b';

/** A permit that matches everything. */
export function provision(given: Partial<Provision> = {}): Provision {
  return {
    path: '0',
    effect: 'permit',
    period: ALWAYS,
    actors: undefined,
    represents: false,
    actions: undefined,
    purposes: undefined,
    labels: undefined,
    classes: undefined,
    codes: undefined,
    dataPeriod: undefined,
    data: undefined,
    nested: [],
    ...given,
  };
}

/** In force, and without any effect. */
export function policy(given: Partial<ConsentPolicy> = {}): ConsentPolicy {
  return {
    consent: 'hospital-a/Consent/c',
    version: 1,
    patient: PATIENT,
    inForce: true,
    base: undefined,
    period: ALWAYS,
    provisions: [],
    ...given,
  };
}

/** A client of hospital-b that reads for treatment. */
export function request(given: Partial<AccessRequest> = {}): AccessRequest {
  return {
    types: '*',
    granular: [],
    institution: 'hospital-b',
    actors: [HOSPITAL_B],
    purposes: ['TREAT'],
    action: 'read',
    instant: NOW,
    self: [],
    compartment: undefined,
    emergency: false,
    custodianAccess: true,
    ...given,
  };
}

export const CUSTODIAN: Partial<AccessRequest> = {
  institution: 'hospital-a',
  actors: ['hospital-a/Organization/hospital-a'],
};

/** Something that a record tells, for the whole of it. */
export function told<T>(...values: readonly T[]): Told<T> {
  return { certain: values, possible: values, open: values.length === 0 };
}

/** An Observation of one patient, which tells nothing else. */
export function record(given: Partial<RecordFacts> = {}): RecordFacts {
  const { type = 'Observation', name = `hospital-a/${type}/r` } = given;
  return {
    institution: 'hospital-a',
    type,
    name,
    patients: [PATIENT],
    types: told(type),
    names: told(name),
    profiles: told<string>(),
    confidentiality: told(),
    tags: told(),
    codes: told(),
    dates: undefined,
    authors: told<string>(),
    codings: () => [],
    ...given,
  };
}

/** Institutions that no database holds, numbered from 1. */
export function institutionsNamed(...names: readonly string[]): InstitutionDirectory {
  const all = names.map((name, index) => ({
    id: index + 1,
    name,
    checkReferences: false,
    validation: 'base' as const,
    guest: false,
  }));
  return {
    find: (name) => all.find((one) => one.name === name),
    byId: (id) => all.find((one) => one.id === id),
    all: () => all,
    own: () => all,
    refresh: () => Promise.resolve(),
    setModes: () => Promise.resolve(false),
  };
}

/** The base of institution `a`. */
export const OF_A = { kind: 'institution', institution: 'a' } as const;

/** For contexts whose entry in the access trail nobody looks at. */
export const ASKED = { interaction: 'read', target: '', query: '' } as const;

/** Of a client of institution `a` without any purpose, unless said otherwise. */
export function requestContext(
  scope: string,
  principal: Partial<Principal> = {},
  base: RequestContext['base'] = OF_A,
): RequestContext {
  return {
    requestId: 'r',
    principal: {
      clientId: 'c',
      institution: 'a',
      scopes: parseScopes(scope),
      purposes: [],
      administrator: false,
      ...principal,
    },
    base,
    instant: NOW,
    asked: ASKED,
    journal: createJournal(),
  };
}
