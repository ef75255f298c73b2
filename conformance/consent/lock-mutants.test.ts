import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Client } from 'pg';
import { MUTANTS, VIEWS } from './view-mutants.ts';
import { namesByIdToken, settingsFor, VISIBILITY_INSTITUTIONS, writeVisibility } from './visibility.ts';
import { QUESTIONS } from './visibility-questions.ts';
import { createWorld } from './world.ts';

describe('every part of the views is needed', async () => {
  const world = await createWorld({ after }, VISIBILITY_INSTITUTIONS);
  await writeVisibility(world);
  const names = namesByIdToken(world);
  const client = new Client({ connectionString: world.recordsUrl });
  // The database is dropped first.
  client.on('error', () => undefined);
  after(() => client.end());
  await client.connect();

  /** What each question's requester sees, in all three views, when they are as `sql` has them. */
  async function answers(sql: string, settings = QUESTIONS.map((question) => settingsFor(world, question))) {
    const all: string[][] = [];
    await client.query('begin');
    try {
      if (sql !== '') await client.query(sql);
      await client.query('set local role medseal_reader');
      for (const one of settings) {
        // Settings of one question are none of the next.
        await client.query('savepoint question');
        const calls = Object.keys(one).map((_, index) => `set_config($${2 * index + 1}, $${2 * index + 2}, true)`);
        await client.query(`select ${calls.join(', ')}`, Object.entries(one).flat());
        for (const view of ['permitted_version', 'permitted_current', 'permitted_access']) all.push(await seen(view));
        await client.query('rollback to savepoint question');
      }
    } finally {
      await client.query('rollback');
    }
    return all;
  }

  async function seen(view: string): Promise<string[]> {
    const { rows } = await client.query(`select id_token as id from ${view}`);
    return rows.flatMap(({ id }) => names.get(id) ?? []).sort();
  }

  /** Through the views as they are. */
  const whole = await answers('');

  for (const [index, { who, sees, trail }] of QUESTIONS.entries()) {
    test(`as they are: ${who}`, () => {
      const current = sees.filter((name) => name !== 'lost-readers');
      const expected = [sees, current, trail].map((list) => [...list].sort());
      assert.deepEqual(whole.slice(3 * index, 3 * index + 3), expected);
    });
  }

  test('the views as written answer as those that are there', async () => {
    assert.deepEqual(await answers(VIEWS), whole);
  });

  for (const [what, from, to] of MUTANTS) {
    test(`without “${what}” somebody sees something else`, async () => {
      assert.equal(VIEWS.split(from).length, 2, `the views have this part once: ${from}`);
      assert.notDeepEqual(await answers(VIEWS.replace(from, () => to)), whole);
    });
  }

  describe('without one of its settings', () => {
    for (const name of [
      'readers',
      'facets',
      'self',
      'compartment',
      'types',
      'instant',
      'institution',
      'custodian',
      'emergency',
    ]) {
      const required = ['readers', 'facets', 'self', 'compartment', 'types', 'instant'].includes(name);
      for (const [how, value] of [
        ['missing', undefined],
        ['empty', ''],
      ] as const) {
        test(`${name}, when ${how}, ${required ? 'nobody sees anything' : 'nobody sees more'}`, async () => {
          const full = QUESTIONS.map((question) => settingsFor(world, question));
          const lacking = full.map(({ [`medseal.${name}`]: _, ...rest }) =>
            value === undefined ? rest : { ...rest, [`medseal.${name}`]: value },
          );
          const found = await answers('', lacking);
          for (const [index, rows] of found.entries()) {
            if (required) assert.deepEqual(rows, []);
            else assert.ok(rows.every((row) => whole[index]?.includes(row)));
          }
          assert.notDeepEqual(found, whole);
        });
      }
    }

    test('all of them: nobody sees anything', async () => {
      for (const rows of await answers(
        '',
        QUESTIONS.map(() => ({})),
      ))
        assert.deepEqual(rows, []);
    });
  });
});
