/** What the ledger is told of consents: granted, changed, withdrawn, and nothing that means anything. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Consent, ConsentProvision } from '@medplum/fhirtypes';
import { ANNA, cohort, consentOf, putCohort, recipient } from '../main-job/cohort.ts';
import { startWorld } from '../main-job/world.ts';
import { until } from '../support/until.ts';

interface State {
  readonly consent: string;
  readonly status: string;
  readonly version: number;
  readonly grantees: readonly string[];
  readonly end: string | null;
}

suite('consents on the ledger', async () => {
  const world = await startWorld();
  await putCohort(world.as('hospital-a'), cohort());
  const patient = world.as(`patient:${ANNA}`);

  const states = async (): Promise<readonly State[]> => {
    const rows = await world.rows<{ value: string }>(
      `select convert_from(value, 'UTF8') as value from ledger.state where convert_from(value, 'UTF8') like '%"grantees"%'`,
    );
    return rows.map(({ value }) => JSON.parse(value) as State);
  };
  const told = async () => {
    await until('the ledger knows all', async () => {
      const [row] = await world.rows<{ open: string }>(
        'select count(*) as open from consent_entry where settled_at is null',
      );
      return Number(row?.open) === 0;
    });
    return states();
  };

  const draft = await patient.post('Consent', {
    ...consentOf(ANNA, { type: 'permit', actor: [recipient('hospital-b')] }),
    status: 'draft',
  });
  assert.equal(draft.status, 201, draft.text);

  test('a draft is nothing to it', async () => assert.deepEqual(await told(), []));

  test('a grant, a change and a withdrawal', async () => {
    const provision: ConsentProvision = {
      type: 'permit',
      actor: [recipient('research-institute')],
      period: { end: '2190-01-01' },
    };
    const answer = await patient.post('Consent', consentOf(ANNA, provision));
    assert.equal(answer.status, 201, answer.text);
    const consent = answer.json<Consent>();
    const [granted, ...others] = await told();
    assert.deepEqual(others, []);
    assert.partialDeepStrictEqual(granted, { status: 'active', version: 1, end: '2190-01-02T00:00:00.000Z' });
    assert.equal(granted?.grantees.length, 1);

    const both = { ...provision, actor: [recipient('research-institute'), recipient('hospital-b')] };
    await patient.put(`Consent/${consent.id}`, { ...consent, provision: both });
    const [changed] = await told();
    assert.partialDeepStrictEqual(changed, { consent: granted?.consent, status: 'active', version: 2 });
    assert.equal(changed?.grantees.length, 2);

    await patient.put(`Consent/${consent.id}`, { ...consent, status: 'inactive' });
    const [ended] = await told();
    assert.partialDeepStrictEqual(ended, { consent: granted?.consent, status: 'withdrawn', version: 3 });

    await patient.put(`Consent/${consent.id}`, { ...consent, status: 'active' });
    const again = (await told()).toSorted((a, b) => a.version - b.version);
    assert.deepEqual(
      again.map(({ status, version }) => [status, version]),
      [
        ['withdrawn', 3],
        ['active', 4],
      ],
    );
    assert.notEqual(again[0]?.consent, again[1]?.consent, 'whoever consents again makes a new consent');

    await patient.delete(`Consent/${consent.id}`);
    const over = (await told()).map(({ status }) => status);
    assert.deepEqual(over, ['withdrawn', 'withdrawn']);
  });

  test('tells nobody who, to whom or what', async () => {
    const text = JSON.stringify(await states());
    for (const word of [ANNA, 'research', 'hospital-b', 'Patient', 'Organization']) {
      assert.ok(!text.includes(word), word);
    }
    const [row] = await world.rows<{ held: string }>(
      'select count(*) as held from consent_entry where held is not null',
    );
    assert.equal(Number(row?.held), 0);
  });
});
