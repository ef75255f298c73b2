import assert from 'node:assert/strict';
import { type PrincipalSettings, settingsOf } from '../../src/repository/permitted.ts';
import { selfToken } from '../../src/sealing/identity.ts';
import type { Random } from '../support/seed.ts';
import { contextOf, type Entry, type World } from './world.ts';

/** At hospital-a, for hospital-b: what is written and read while a patient grants and withdraws. */
export const RACE_INSTITUTIONS = ['hospital-a', 'hospital-b'] as const;

const WRITERS = 3;
const WRITES = 3;
const READERS = 2;

/**
 * Each trial: writers add records of a patient, one by one and several at once, while the patient grants. Afterwards
 * every record is seen, those that were under way when the grant was written included; and after the grant has been
 * withdrawn under the same load, no request that begins later sees any; and granted again, all are seen again.
 */
export async function raceGrants(world: World, trials: number, random: Random): Promise<void> {
  for (let trial = 0; trial < trials; trial++) {
    const patient = `${random.seed}-${trial}`;
    const race = createRace(world, patient, random);
    await race.write([{ resourceType: 'Patient', id: patient }]);

    await Promise.all([race.writeMany('before'), race.consent(1, 'active')]);
    await race.assertAllSeen();

    const watching = race.watch();
    const writing = race.writeMany('after');
    await race.consent(2, 'inactive');
    watching.withdrawn();
    await writing;
    await watching.end();
    assert.equal(await race.seen(), 0);

    await Promise.all([race.writeMany('again'), race.consent(3, 'active')]);
    await race.assertAllSeen();
    await race.consent(4, 'deleted');
    assert.equal(await race.seen(), 0);
  }
}

function createRace(world: World, patient: string, random: Random) {
  const institution = 'hospital-a';
  const written: string[] = [];

  async function write(resources: readonly Entry['resource'][]): Promise<void> {
    await world.write(resources.map((resource) => ({ institution, resource })));
    for (const { resourceType, id } of resources) {
      written.push(world.names.idToken(`${institution}/${resourceType}/${id}`));
    }
  }

  async function writeMany(label: string): Promise<void> {
    await Promise.all(
      Array.from({ length: WRITERS }, async (_, writer) => {
        for (let index = 0; index < WRITES; index++) {
          const count = 1 + random.integer(3);
          const ids = Array.from({ length: count }, (__, nth) => `${patient}-${label}-${writer}-${index}-${nth}`);
          await write(ids.map((id) => observation(id, patient)));
        }
      }),
    );
  }

  async function consent(version: number, state: 'active' | 'inactive' | 'deleted'): Promise<void> {
    // Somewhere among the writes.
    for (let turn = random.integer(40); turn > 0; turn--) await new Promise(setImmediate);
    const status = state === 'active' ? 'active' : 'inactive';
    await world.write([{ institution, resource: consentOf(patient, status), version, deleted: state === 'deleted' }]);
  }

  /** How many of the patient's records hospital-b sees, the Consent apart. */
  function seen(): Promise<number> {
    const context = contextOf({ institution: 'hospital-b', scopes: 'system/*.rs', purposes: ['TREAT'] });
    const settings = world.principals.settings(context, world.principals.accessRequest(context, 'read', 's'));
    return count(world, settings, [...written]);
  }

  async function assertAllSeen(): Promise<void> {
    assert.equal(await seen(), written.length, `records of patient ${patient}`);
  }

  /** Asks all the time; what was asked after the withdrawal had been acknowledged must have seen nothing. */
  function watch() {
    let acknowledged = Number.POSITIVE_INFINITY;
    let asking = true;
    let askedAfter = 0;
    const loops = Array.from({ length: READERS }, async () => {
      while (asking) {
        const begun = performance.now();
        const found = await seen();
        if (begun <= acknowledged) continue;
        askedAfter += 1;
        assert.equal(found, 0, `a request ${begun - acknowledged} ms after the withdrawal`);
      }
    });
    return {
      withdrawn() {
        acknowledged = performance.now();
      },
      async end() {
        while (askedAfter < READERS) await Promise.race([Promise.all(loops), new Promise(setImmediate)]);
        asking = false;
        await Promise.all(loops);
      },
    };
  }

  return { write, writeMany, consent, seen, assertAllSeen, watch };
}

async function count(world: World, settings: PrincipalSettings, idTokens: readonly string[]): Promise<number> {
  const rows = await world.database.transaction(
    'reader',
    (sql) =>
      sql.query<{ rows: number }>(
        `select count(*)::int as rows from permitted_current
         where self = any ($1::bigint[]) and id_token = any ($2::uuid[])`,
        [idTokens.map(selfToken), idTokens],
      ),
    { settings: settingsOf(settings), pipelined: true },
  );
  return rows[0]?.rows ?? 0;
}

function observation(id: string, patient: string): Entry['resource'] {
  return {
    resourceType: 'Observation',
    id,
    status: 'final',
    code: { text: 'x' },
    subject: { reference: `Patient/${patient}` },
  };
}

function consentOf(patient: string, status: 'active' | 'inactive'): Entry['resource'] {
  const codeable = (system: string, code: string) => ({ coding: [{ system, code }] });
  const actor = {
    role: codeable('http://terminology.hl7.org/CodeSystem/v3-ParticipationType', 'IRCP'),
    reference: { reference: 'Organization/hospital-b' },
  };
  return {
    resourceType: 'Consent',
    id: `${patient}-consent`,
    status,
    scope: codeable('http://terminology.hl7.org/CodeSystem/consentscope', 'patient-privacy'),
    category: [{ text: 'x' }],
    patient: { reference: `Patient/${patient}` },
    provision: { type: 'permit', actor: [actor] },
  };
}
