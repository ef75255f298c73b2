import assert from 'node:assert/strict';
import { Client } from 'pg';
import type { Role } from '../../src/storage/database/port.ts';
import { asSuperuser, type ContractTest, databaseError } from './database-harness.ts';

const DENIED = databaseError({ code: 'internal', sqlState: '42501' });

export function testRights(contractTest: ContractTest): void {
  contractTest('the reader has no right on any table, and cannot become another', async ({ database, harness }) => {
    const tables = await asSuperuser(harness, async (client) => {
      const { rows } = await client.query<{ name: string }>(
        "select format('%I', relname) as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace",
      );
      return rows.map(({ name }) => name);
    });
    assert.ok(tables.includes('note') && tables.includes('schema_migration'));
    for (const table of tables) await assert.rejects(database.query('reader', `select from ${table}`), DENIED);
    await assert.rejects(database.query('reader', 'create table mine (id integer)'), DENIED);
    await assert.rejects(database.query('reader', 'create temporary table mine (id integer)'), DENIED);
    await assert.rejects(database.query('reader', 'set role medseal_writer'), DENIED);
    await assert.rejects(database.query('reader', 'set session authorization medseal_writer'), DENIED);
    const [me] = await database.query('reader', 'select session_user::text, current_user::text');
    assert.deepEqual(me, { session_user: 'medseal_reader', current_user: 'medseal_reader' });
  });

  contractTest('the logins own nothing and have no privilege of the cluster', async ({ harness }) => {
    const rows = await asSuperuser(harness, async (client) => {
      const result = await client.query(
        `select rolname from pg_roles where rolname in ('medseal_writer', 'medseal_reader', 'medseal_keys')
           and not (rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls)
           and not exists (select from pg_auth_members where member = pg_roles.oid)
           and not exists (select from pg_class where relowner = pg_roles.oid)
         order by 1`,
      );
      return result.rows;
    });
    assert.deepEqual(rows, [{ rolname: 'medseal_keys' }, { rolname: 'medseal_reader' }, { rolname: 'medseal_writer' }]);
  });

  contractTest('no login may connect where another belongs', async ({ database, harness }) => {
    const names: Record<Role, string> = { writer: '', reader: '', keys: '' };
    for (const role of ['writer', 'reader', 'keys'] as const) {
      const [row] = await database.query<{ name: string }>(role, 'select current_database()::text as name');
      names[role] = row?.name ?? '';
    }
    assert.equal(names.writer, names.reader);
    assert.notEqual(names.writer, names.keys);
    const allowed = await asSuperuser(harness, async (client) => {
      const { rows } = await client.query(
        `select rolname, datname from pg_roles, pg_database
         where rolname in ('medseal_writer', 'medseal_reader', 'medseal_keys') and datname in ($1, $2)
           and has_database_privilege(pg_roles.oid, pg_database.oid, 'connect') order by 1`,
        [names.writer, names.keys],
      );
      return rows;
    });
    assert.deepEqual(allowed, [
      { rolname: 'medseal_keys', datname: names.keys },
      { rolname: 'medseal_reader', datname: names.reader },
      { rolname: 'medseal_writer', datname: names.writer },
    ]);
  });

  contractTest('a login that knocks at the other database is turned away', async ({ harness }) => {
    // With whatever password: where the socket is trusted it is not asked for, elsewhere it is wrong.
    const url = new URL(await harness.superuserUrl());
    url.username = 'medseal_keys';
    url.password = 'none';
    const client = new Client({ connectionString: url.href });
    await assert.rejects(client.connect(), (error: { code?: string }) => ['42501', '28P01'].includes(error.code ?? ''));
    await client.end();
  });
}
