import { randomBytes } from 'node:crypto';
import type { ConsentProvision } from '@medplum/fhirtypes';
import { insertVersions, replaceConsent } from '../../src/repository/write-statements.ts';
import type { Entry, World } from './world.ts';

/** Many patients and records, as the write transaction leaves them but for the seals, which nobody opens. */
export interface Crowd {
  readonly institution: string;
  readonly patients: number;
  /** Observations of each patient. */
  readonly records: number;
  /** How many of the patients permit `grantee`, in five different shapes. */
  readonly consented: number;
  readonly grantee: string;
}

const BATCH = 500;
/** Every patient has Observations of different codes, out of this many. */
const CODES = 50;

export const crowdCode = (index: number): string => `http://loinc.org|crowd-${index % CODES}`;

export async function writeCrowd(world: World, crowd: Crowd): Promise<void> {
  const patients = Array.from({ length: crowd.patients }, (_, patient) => patient);
  await writeUnsealed(world, crowd, patients.map(patientOf));
  for (let index = 0; index < crowd.records; index++) {
    await writeUnsealed(
      world,
      crowd,
      patients.map((patient) => observationOf(patient, index)),
    );
  }
  const consented = patients.slice(0, crowd.consented);
  await writeUnsealed(
    world,
    crowd,
    consented.map((patient) => consentOf(patient, crowd.grantee)),
  );
}

async function writeUnsealed(world: World, { institution }: Crowd, resources: readonly Entry['resource'][]) {
  for (let from = 0; from < resources.length; from += BATCH) {
    const drafts = resources.slice(from, from + BATCH).map((resource) => world.draftOf({ institution, resource }));
    await world.database.transaction('writer', async (sql) => {
      // About the length of a small resource.
      const sealed = 'x'.repeat(1200);
      const rows = drafts.map((draft) => ({
        draft,
        sealed,
        digest: Buffer.alloc(32),
        envelope: 'x',
        leafHash: randomBytes(32),
      }));
      await insertVersions(sql, rows);
      for (const draft of drafts) if (draft.consent !== undefined) await replaceConsent(sql, draft, draft.consent);
    });
  }
}

function patientOf(patient: number): Entry['resource'] {
  return {
    resourceType: 'Patient',
    id: `p${patient}`,
    gender: patient % 2 === 0 ? 'female' : 'male',
    identifier: [{ system: 'urn:crowd', value: `p${patient}` }],
  };
}

function observationOf(patient: number, index: number): Entry['resource'] {
  const [system, code] = crowdCode(7 * patient + index).split('|') as [string, string];
  return {
    resourceType: 'Observation',
    id: `o${patient}-${index}`,
    status: 'final',
    code: { coding: [{ system, code }] },
    subject: { reference: `Patient/p${patient}` },
    effectiveDateTime: `20${10 + (index % 10)}-03-04`,
    performer: [{ reference: `Practitioner/d${patient % 40}` }],
  };
}

function consentOf(patient: number, grantee: string): Entry['resource'] {
  const codeable = (system: string, code: string) => ({ coding: [{ system, code }] });
  const actor = {
    role: codeable('http://terminology.hl7.org/CodeSystem/v3-ParticipationType', 'IRCP'),
    reference: { reference: `Organization/${grantee}` },
  };
  const type = (code: string) => ({ system: 'http://hl7.org/fhir/resource-types', code });
  const purpose = { system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'HRESCH' };
  const shapes: readonly ConsentProvision[] = [
    { type: 'permit', actor: [actor] },
    { type: 'permit', actor: [actor], purpose: [purpose], class: [type('Observation'), type('Patient')] },
    { type: 'deny', provision: [{ type: 'permit', actor: [actor], period: { start: '2020', end: '2030' } }] },
    { type: 'permit', actor: [actor], provision: [{ type: 'deny', code: [codeable('http://loinc.org', 'crowd-3')] }] },
    { type: 'permit', actor: [actor], purpose: [purpose], dataPeriod: { start: '2005' } },
  ];
  return {
    resourceType: 'Consent',
    id: `c${patient}`,
    status: 'active',
    scope: codeable('http://terminology.hl7.org/CodeSystem/consentscope', 'research'),
    category: [{ text: 'research' }],
    patient: { reference: `Patient/p${patient}` },
    provision: shapes[patient % shapes.length] as ConsentProvision,
  };
}
