import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { institutionsNamed, NOW } from '../../conformance/support/consent-fixtures.ts';
import type { EmergencyRow } from '../repository/emergencies.ts';
import type { Principal, RequestContext } from '../request-context.ts';
import { createEmergencies } from './emergencies.ts';

const REASON = 'Unconscious after an accident';
const PATIENT = { institution: 'a', type: 'Patient', id: 'p' };
const doctor = (type: string, id = 'd') => ({ user: { institution: 'b', type, id } });

/** Rows in memory, a box that tells what is in it, and tokens that are numbers. */
function startEmergencies({ external = false } = {}) {
  const rows: EmergencyRow[] = [];
  const asked: unknown[] = [];
  const revoked: string[] = [];
  const emergencies = createEmergencies({
    rows: {
      insert: async (row) => void rows.push({ ...row, review: null }),
      async find(id) {
        assert.match(id, /^[0-9a-f]{8}-[0-9a-f-]{27}$/, 'PostgreSQL takes nothing else for a uuid');
        return rows.find((row) => row.id === id);
      },
      list: async (reviewed) => rows.filter(({ review }) => (review !== null) === reviewed),
      async review(id, review) {
        const at = rows.findIndex((row) => row.id === id && row.review === null);
        if (at >= 0) rows[at] = { ...(rows[at] as EmergencyRow), review };
        return at >= 0;
      },
    },
    box: {
      seal: async (place, value) => JSON.stringify({ place, value }),
      async open(place, sealed) {
        const kept = JSON.parse(sealed) as { place: string; value: unknown };
        assert.equal(kept.place, place, 'it opens in its own row only');
        return kept.value;
      },
    },
    tokens: external
      ? undefined
      : {
          async issue(...given) {
            asked.push(given.slice(1));
            return { token: `t${rows.length}`, digest: Buffer.from(`digest ${rows.length}`), scope: 'user/*.rs' };
          },
          revoke: async (digest) => void revoked.push(digest.toString()),
        },
    institutions: institutionsNamed('a', 'b'),
  });
  const open = (principal: Partial<Principal>, patient = PATIENT) =>
    emergencies.open(
      { principal: { clientId: 'app', ...principal }, instant: NOW } as RequestContext,
      patient,
      REASON,
      30,
    );
  return { emergencies, open, rows, asked, revoked };
}

describe('breaking the glass', () => {
  test('is written down with who, for whom and why, sealed, until when', async () => {
    const { open, rows, asked, emergencies } = startEmergencies();
    const until = new Date(NOW + 30 * 60_000).toISOString();
    const opened = await open(doctor('Practitioner'));
    assert.deepEqual(opened, { token: 't0', scope: 'user/*.rs', until, practitioner: 'b/Practitioner/d' });
    assert.deepEqual(asked, [[doctor('Practitioner').user, PATIENT, 1800]]);
    assert.equal(rows[0]?.institution, 1, 'of the institution whose record it is');
    assert.equal(rows[0]?.token.toString(), 'digest 0');
    const [row] = rows;
    assert.deepEqual(await emergencies.list(), [
      {
        id: row?.id,
        institution: 'a',
        at: new Date(NOW).toISOString(),
        until,
        practitioner: 'b/Practitioner/d',
        client: 'app',
        patient: 'a/Patient/p',
        reason: REASON,
      },
    ]);
  });

  test('is for practitioners with a token of their own', async () => {
    const { open, rows } = startEmergencies();
    await open(doctor('PractitionerRole'));
    for (const who of [
      {},
      doctor('Patient'),
      doctor('RelatedPerson'),
      { ...doctor('Practitioner'), emergency: PATIENT },
    ]) {
      await assert.rejects(open(who), { code: 'forbidden' }, JSON.stringify(who));
    }
    await assert.rejects(open(doctor('Practitioner'), { ...PATIENT, institution: 'nowhere' }), { code: 'forbidden' });
    assert.equal(rows.length, 1);
  });

  test('is not where tokens are somebody else’s', async () => {
    const { open, rows } = startEmergencies({ external: true });
    await assert.rejects(open(doctor('Practitioner')), { code: 'not-supported' });
    assert.equal(rows.length, 0);
  });
});

describe('its review', () => {
  test('ends what was not justified, and nothing else', async () => {
    const { open, emergencies, rows, revoked } = startEmergencies();
    for (const id of ['one', 'two']) await open(doctor('Practitioner', id));
    const [one = '', two = ''] = rows.map(({ id }) => id);
    await emergencies.review(one, { outcome: 'justified', note: 'It was' });
    assert.deepEqual(revoked, []);
    await emergencies.review(two, { outcome: 'unjustified', note: 'It was not' });
    assert.deepEqual(revoked, ['digest 1']);
    assert.deepEqual(
      (await emergencies.list()).map(({ review }) => review),
      [
        { outcome: 'justified', note: 'It was' },
        { outcome: 'unjustified', note: 'It was not' },
      ],
    );
  });

  test('comes once; what waits for it stands first', async () => {
    const { open, emergencies, rows, revoked } = startEmergencies();
    for (const id of ['one', 'two']) await open(doctor('Practitioner', id));
    const id = rows[0]?.id ?? '';
    await emergencies.review(id, { outcome: 'justified', note: 'It was' });
    await assert.rejects(emergencies.review(id, { outcome: 'unjustified', note: 'x' }), { code: 'already-exists' });
    for (const none of ['nothing', '', '11111111-1111-4111-8111-111111111111', 'x\0']) {
      await assert.rejects(emergencies.review(none, { outcome: 'justified', note: 'x' }), { code: 'not-found' });
    }
    assert.deepEqual(revoked, []);
    assert.deepEqual(
      (await emergencies.list()).map(({ practitioner }) => practitioner),
      ['b/Practitioner/two', 'b/Practitioner/one'],
    );
  });
});
