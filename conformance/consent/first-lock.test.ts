import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Client } from 'pg';
import { DIRECTORY_TYPES } from '../../src/consent/directory.ts';
import { settingsFor, VISIBILITY_INSTITUTIONS, writeVisibility } from './visibility.ts';
import { QUESTIONS } from './visibility-questions.ts';
import { createWorld } from './world.ts';

interface Counts {
  readonly pid: number;
  readonly versions: number;
  readonly current: number;
}

describe('the first lock', async () => {
  const world = await createWorld({ after }, VISIBILITY_INSTITUTIONS);
  await writeVisibility(world);

  /** As the database's superuser. */
  async function asSuperuser<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const client = new Client({ connectionString: world.recordsUrl });
    await client.connect();
    try {
      return (await client.query<Row>(text, [...values])).rows;
    } finally {
      await client.end();
    }
  }

  describe('the reader role', async () => {
    const relations = await asSuperuser<{ name: string; kind: string }>(
      `select c.relname as name, c.relkind::text as kind from pg_class c
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'm', 'f', 'v', 'S') order by 1`,
    );
    const views = ['permitted_access', 'permitted_current', 'permitted_version'];

    test('may read three views', () => {
      const found = relations.filter(({ kind }) => kind === 'v').map(({ name }) => name);
      assert.deepEqual(found, views);
      assert.ok(relations.filter(({ kind }) => kind === 'r').length > 10);
    });

    for (const { name, kind } of relations) {
      const statements =
        kind === 'S'
          ? [`select nextval('${name}')`, `select setval('${name}', 1)`, `select last_value from "${name}"`]
          : [
              ...(views.includes(name) ? [] : [`select 1 from "${name}"`, `table "${name}" limit 0`]),
              `insert into "${name}" default values`,
              `delete from "${name}"`,
              `truncate "${name}"`,
            ];
      test(`may not touch ${name}`, async () => {
        for (const statement of statements) {
          await assert.rejects(world.database.query('reader', statement), { sqlState: /42501|55000|42809/ }, statement);
        }
        if (kind === 'S') return;
        const columns = await asSuperuser<{ name: string }>(
          'select attname as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped',
          [name],
        );
        for (const { name: column } of columns) {
          const update = `update "${name}" set "${column}" = default`;
          // What is computed, or generated, is refused before rights are looked at.
          const refusals = views.includes(name) ? /42501|0A000|428C9|55000/ : /42501/;
          await assert.rejects(world.database.query('reader', update), { sqlState: refusals }, update);
        }
      });
    }

    test('may make nothing of its own that could look over the views’ shoulder', async () => {
      for (const statement of [
        'create table public.mine (x int)',
        'create function public.mine() returns int language sql return 1',
        'create schema mine',
        'create temporary table mine (x int)',
        'set session authorization medseal_writer',
        'set role medseal_writer',
      ]) {
        await assert.rejects(world.database.query('reader', statement), { sqlState: '42501' }, statement);
      }
    });
  });

  describe('settings', () => {
    const [question] = QUESTIONS;
    assert.ok(question !== undefined);
    const settings = settingsFor(world, question);
    const count = `select pg_backend_pid() as pid, (select count(*) from permitted_version)::int as versions,
    (select count(*) from permitted_current)::int as current`;
    const ask = (given: Readonly<Record<string, string>>) =>
      world.database.transaction('reader', (sql) => sql.query<Counts>(count, []), { settings: given, pipelined: true });

    test('of one transaction do not reach into the next on the same connection', async () => {
      const [first] = await ask(settings);
      assert.ok(first !== undefined && first.versions > 0 && first.current > 0);
      for (let round = 0; round < 3; round++) {
        const [bare] = await world.database.query<Counts>('reader', count);
        assert.equal(bare?.pid, first.pid, 'another connection');
        assert.deepEqual([bare?.versions, bare?.current], [0, 0]);
        const [none] = await ask({ 'medseal.types': '*' });
        assert.deepEqual([none?.pid, none?.versions, none?.current], [first.pid, 0, 0]);
        assert.deepEqual(await ask(settings), [first]);
      }
    });

    test('of a transaction that failed do not either', async () => {
      await assert.rejects(
        world.database.transaction('reader', (sql) => sql.query('select 1 / 0', []), { settings, pipelined: true }),
      );
      const [bare] = await world.database.query<Counts>('reader', count);
      assert.deepEqual([bare?.versions, bare?.current], [0, 0]);
    });
  });

  test('the views have the same directory as the server', async () => {
    const [row] = await asSuperuser<{ types: string[] }>('select directory_types() as types');
    assert.deepEqual(row?.types, [...DIRECTORY_TYPES]);
  });
});
