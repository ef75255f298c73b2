import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Client } from 'pg';
import { CARRIED_MUTANTS, MUTANTS, UNTOLD_MUTANTS, VIEWS } from './view-mutants.ts';
import { namesByIdToken, settingsFor, VISIBILITY_INSTITUTIONS, writeVisibility } from './visibility.ts';
import { QUESTIONS } from './visibility-questions.ts';
import { createWorld } from './world.ts';

/** Seen as versions only: one that lost its readers, one whose newest version is of somebody who denies. */
const NOT_CURRENT = ['lost-readers', 'now-denied'];

describe('every part of the views is needed', async () => {
  const world = await createWorld({ after }, VISIBILITY_INSTITUTIONS);
  await writeVisibility(world);
  const names = namesByIdToken(world);
  const client = new Client({ connectionString: world.recordsUrl });
  // The database is dropped first.
  client.on('error', () => undefined);
  after(() => client.end());
  await client.connect();

  const SETTINGS = QUESTIONS.map((question) => settingsFor(world, question));

  /** What each question's requester sees, in all three views, when they are as `sql` has them. */
  function answers(sql: string, settings = SETTINGS): Promise<readonly (readonly string[])[]> {
    return asked(sql, settings, async () => [
      await seen('permitted_version'),
      await seen('permitted_current'),
      await seen('permitted_access'),
    ]);
  }

  /** What each question's requester is given with what they see: for the second lock. */
  function carried(sql: string): Promise<readonly (readonly string[])[]> {
    return asked(sql, SETTINGS, async () => {
      const { rows } = await client.query(
        `select id::text || consents::text || merges::text as row from permitted_version`,
      );
      return [rows.map(({ row }) => row).sort()];
    });
  }

  async function asked<T>(
    sql: string,
    settings: typeof SETTINGS,
    ask: () => Promise<readonly T[]>,
  ): Promise<readonly T[]> {
    const all: T[] = [];
    await client.query('begin');
    try {
      if (sql !== '') await client.query(sql);
      await client.query('set local role medseal_reader');
      for (const one of settings) {
        // Settings of one question are none of the next.
        await client.query('savepoint question');
        const calls = Object.keys(one).map((_, index) => `set_config($${2 * index + 1}, $${2 * index + 2}, true)`);
        await client.query(`select ${calls.join(', ')}`, Object.entries(one).flat());
        all.push(...(await ask()));
        await client.query('rollback to savepoint question');
      }
    } finally {
      await client.query('rollback');
    }
    return all;
  }

  async function seen(view: string): Promise<string[]> {
    const { rows } = await client.query(`select id_token as id from ${view}`);
    // Once, of however many of its versions.
    return [...new Set(rows.flatMap(({ id }) => names.get(id) ?? []))].sort();
  }

  /** Through the views as they are. */
  const whole = await answers('');

  for (const [index, { who, sees, trail }] of QUESTIONS.entries()) {
    test(`as they are: ${who}`, () => {
      const current = sees.filter((name) => !NOT_CURRENT.includes(name));
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

  for (const [what, from, to] of CARRIED_MUTANTS) {
    test(`without “${what}” the second lock is given something else`, async () => {
      assert.equal(VIEWS.split(from).length, 2, `the views have this part once: ${from}`);
      assert.notDeepEqual(await carried(VIEWS.replace(from, () => to)), await carried(''));
    });
  }

  for (const [what, from, to, lacking] of UNTOLD_MUTANTS) {
    test(`unless “${what}” is asked, somebody without ${lacking} sees something`, async () => {
      assert.equal(VIEWS.split(from).length, 2, `the views have this part once: ${from}`);
      const settings = SETTINGS.map(({ [`medseal.${lacking}`]: _, ...rest }) => rest);
      const found = await answers(
        VIEWS.replace(from, () => to),
        settings,
      );
      assert.ok(found.some((rows) => rows.length > 0));
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
          const lacking = SETTINGS.map(({ [`medseal.${name}`]: _, ...rest }) =>
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
