/**
 * Patients are merged and parted while their consents and records are written: what the database holds in the end is what
 * the last word of each says, and every record can be found by whoever may read it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Consent, Patient, Resource } from '@medplum/fhirtypes';
import { isSoak, type Random, seed } from '../support/seed.ts';
import { createWorld, type World } from './world.ts';

const TRIALS = isSoak ? 200 : 12;
const STEPS = 6;
const institution = 'hospital-a';

const RULES = `select jsonb_build_array(patient, consent, consent_version, provision, permit, suspended, mirrored) as line
  from consent_rule where patient = any ($1::uuid[])`;
const MERGES =
  'select jsonb_build_array(patient, other, since) as line from patient_merge where patient = any ($1::uuid[])';
/** Records that somebody may read by a rule, and that a search by that one would not find. */
const LOST = `select count(*)::int as lost
  from resource_current c join resource_version v on v.id = c.version_id
  join consent_rule r on r.patient = any (v.patients) and r.permit and not r.suspended
  where v.patients && $1::uuid[] and not c.readers @> r.readers`;

test('merges, consents and records that are written at the same time agree in the end', async (t) => {
  const world = await createWorld(t, [institution, 'hospital-b', 'research']);
  const random = seed(t);
  let merged = 0;
  for (let trial = 0; trial < TRIALS; trial++) merged += await race(world, random, `${random.seed}-${trial}`);
  assert.ok(merged > 0, 'somebody was merged in the end');
});

async function race(world: World, random: Random, mark: string): Promise<number> {
  const patients = [0, 1, 2].map((index) => `${mark}-p${index}`);
  const tokens = patients.map((id) => world.names.idToken(`${institution}/Patient/${id}`));
  const write = (resource: Resource, version = 1, deleted = false) =>
    world.write([{ institution, resource: resource as Resource & { id: string }, version, deleted }]);
  const steps = (one: (step: number) => Promise<void>) => async () => {
    for (let step = 1; step <= STEPS; step++) {
      for (let turn = random.integer(10); turn > 0; turn--) await new Promise(setImmediate);
      await one(step);
    }
  };
  const writers = patients.flatMap((id) => [
    steps((step) => write(linked(id, random.pick([undefined, ...patients])), step)),
    steps((step) =>
      write(
        consentOf(id, random.pick(['hospital-b', 'research']), random),
        step,
        step === STEPS && random.integer(4) === 0,
      ),
    ),
    steps((step) =>
      write(observation(`${id}-o${step}`, [id, ...(random.integer(3) === 0 ? [random.pick(patients)] : [])])),
    ),
  ]);
  await Promise.all(writers.map((writer) => writer()));

  const lines = async (text: string) =>
    (await world.database.query<{ line: unknown }>('writer', text, [tokens]))
      .map(({ line }) => JSON.stringify(line))
      .sort();
  const found = { rules: await lines(RULES), merges: await lines(MERGES) };
  const [{ lost } = { lost: -1 }] = await world.database.query<{ lost: number }>('writer', LOST, [tokens]);
  assert.equal(lost, 0);
  await world.database.query('writer', 'select settle_merges($1::uuid[])', [tokens]);
  assert.deepEqual({ rules: await lines(RULES), merges: await lines(MERGES) }, found);
  return found.merges.length;
}

function linked(id: string, other: string | undefined): Patient {
  const link =
    other === undefined || other === id
      ? []
      : [{ other: { reference: `Patient/${other}` }, type: 'replaces' as const }];
  return { resourceType: 'Patient', id, ...(link.length > 0 && { link }) };
}

function observation(id: string, patients: readonly string[]): Resource {
  const [subject, ...performer] = patients.map((one) => ({ reference: `Patient/${one}` }));
  return {
    resourceType: 'Observation',
    id,
    status: 'final',
    code: { text: 'x' },
    ...(subject && { subject }),
    ...(performer.length > 0 && { performer }),
  };
}

function consentOf(patient: string, grantee: string, random: Random): Consent {
  const codeable = (system: string, code: string) => ({
    coding: [{ system: `http://terminology.hl7.org/CodeSystem/${system}`, code }],
  });
  const actor = { role: codeable('v3-ParticipationType', 'IRCP'), reference: { reference: `Organization/${grantee}` } };
  return {
    resourceType: 'Consent',
    id: `${patient}-consent`,
    status: 'active',
    scope: codeable('consentscope', 'patient-privacy'),
    category: [{ text: 'x' }],
    patient: { reference: `Patient/${patient}` },
    provision: { type: random.pick(['permit', 'deny']), actor: [actor] },
  };
}
