/**
 * Every part of what settles merges is needed: without it other rules hold, or other people find a record, after one of
 * the merges and partings below. What must hold after them is in merge.test.ts and cases/.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Client } from 'pg';
import { MERGE_MUTANTS, MERGES } from './merge-mutants.ts';
import { createWorld, type Entry } from './world.ts';

const PATIENTS = ['ann', 'bea', 'cis', 'dot', 'eve'];

/** Who says, one after the other, to be the same as whom; and during which of the versions below. */
const STEPS: readonly (readonly [said: string, others: readonly string[], version: number])[] = [
  // At the very moment of a consent of the other, which is not suspended.
  ['ann', ['bea'], 2],
  // Over another, and from the other side.
  ['cis', ['bea'], 7],
  ['dot', ['eve', 'ann'], 9],
  // Said again, with one less.
  ['dot', ['ann'], 10],
  // No longer, by one of two; then again.
  ['ann', [], 11],
  ['ann', ['bea'], 12],
  ['cis', [], 13],
  ['bea', ['ann'], 14],
  ['dot', ['eve', 'ann'], 15],
  ['ann', [], 16],
];

describe('every part of what settles merges is needed', async () => {
  const world = await createWorld({ after }, ['hospital-a']);
  const patient = (name: string) => world.names.idToken(`hospital-a/Patient/${name}`);
  // In this order: between the first and the last of the consents some are merged already.
  const consents = PATIENTS.flatMap((name) => [consentOf(name, 'permit'), consentOf(name, 'deny')]);
  const observations = PATIENTS.map((name): Entry['resource'] => ({
    resourceType: 'Observation',
    id: name,
    status: 'final',
    code: { text: 'x' },
    subject: { reference: `Patient/${name}` },
  }));
  await world.write([...consents, ...observations].map((resource) => ({ institution: 'hospital-a', resource })));
  const client = new Client({ connectionString: world.recordsUrl });
  // The database is dropped first.
  client.on('error', () => undefined);
  after(() => client.end());
  await client.connect();
  const { rows: versions } = await client.query<{ version_id: string }>(
    'select version_id from consent_current order by version_id',
  );

  /** What is stored after each step; of a statement that fails: that it does. */
  async function outcomes(sql: string): Promise<readonly unknown[]> {
    const found: unknown[] = [];
    await client.query('begin');
    try {
      await client.query(sql);
      for (const [said, others, index] of STEPS) {
        const since = versions[index]?.version_id ?? String(1000 + index);
        await client.query('select link_patient($1, $2::uuid[], $3)', [patient(said), others.map(patient), since]);
        found.push(await stored());
      }
    } catch (error) {
      found.push((error as Error).message);
    } finally {
      await client.query('rollback');
    }
    return found;
  }

  async function stored(): Promise<unknown> {
    const { rows } = await client.query(`select json_build_array(
      (select json_agg(k order by k::text) from patient_link k),
      (select json_agg(m order by m::text) from patient_merge m),
      (select json_agg(concat_ws(' ', r.patient, r.consent, r.permit, r.suspended, r.mirrored) order by 1)
        from (select * from consent_rule order by patient, consent, permit, suspended, mirrored) r),
      (select json_agg(concat_ws(' ', c.id_token, array(select unnest(c.readers) order by 1)) order by c.id_token)
        from resource_current c)) as stored`);
    return rows[0]?.stored;
  }

  const whole = await outcomes('');

  test('as they are nothing fails, and each step changes something', () => {
    assert.equal(whole.length, STEPS.length);
    assert.equal(new Set(whole.map((one) => JSON.stringify(one))).size, STEPS.length);
  });

  test('the functions as written do the same', async () => {
    assert.deepEqual(await outcomes(MERGES), whole);
  });

  for (const [what, from, to] of MERGE_MUTANTS) {
    test(`without “${what}” something else is stored`, async () => {
      assert.equal(MERGES.split(from).length, 2, `the functions have this part once: ${from}`);
      assert.notDeepEqual(await outcomes(MERGES.replace(from, () => to)), whole);
    });
  }
});

function consentOf(name: string, effect: 'permit' | 'deny'): Entry['resource'] {
  return {
    resourceType: 'Consent',
    id: `${name}-${effect}`,
    status: 'active',
    scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
    category: [{ text: 'x' }],
    patient: { reference: `Patient/${name}` },
    provision: {
      type: effect,
      actor: [
        {
          role: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'IRCP' }] },
          reference: { reference: `Practitioner/${effect}-of-${name}` },
        },
      ],
    },
  };
}
