import type { Database } from '../database/port.ts';

/** A registered client as it is stored. */
export interface StoredClient {
  readonly id: string;
  /** '' for the operator's own. */
  readonly institution: string;
  /** A JWE of the registration. */
  readonly sealed: string;
  readonly disabled: boolean;
}

/** @returns false when the id is taken or there is no such institution */
export async function insertClient(database: Database, client: Omit<StoredClient, 'disabled'>): Promise<boolean> {
  const rows = await database.query(
    'writer',
    `insert into auth_client (id, institution, sealed)
     select $1, (select id from institution where name = $2), $3
     where $2 = '' or exists (select from institution where name = $2)
     on conflict do nothing returning 1`,
    [client.id, client.institution, client.sealed],
  );
  return rows.length === 1;
}

export async function findClient(database: Database, id: string): Promise<StoredClient | undefined> {
  const rows = await database.query<StoredClient>(
    'writer',
    `select client.id, coalesce(institution.name, '') as institution, client.sealed, client.disabled_at is not null as disabled
     from auth_client client left join institution on institution.id = client.institution where client.id = $1`,
    [id],
  );
  return rows[0];
}

export function listClients(database: Database): Promise<readonly StoredClient[]> {
  return database.query<StoredClient>(
    'writer',
    `select client.id, coalesce(institution.name, '') as institution, client.sealed, client.disabled_at is not null as disabled
     from auth_client client left join institution on institution.id = client.institution order by client.id`,
    [],
  );
}

/** @returns false when the stored registration is no longer the `previous` one */
export async function replaceClient(database: Database, previous: StoredClient, sealed: string): Promise<boolean> {
  const rows = await database.query(
    'writer',
    'update auth_client set sealed = $3 where id = $1 and sealed = $2 returning 1',
    [previous.id, previous.sealed, sealed],
  );
  return rows.length === 1;
}

/**
 * Disables a client for good and deletes what it was given.
 *
 * @returns false when there is no such client
 */
export async function disableClient(database: Database, id: string): Promise<boolean> {
  const rows = await database.query(
    'writer',
    `with gone as (delete from auth_artifact where client = $1)
     update auth_client set disabled_at = coalesce(disabled_at, now()) where id = $1 returning 1`,
    [id],
  );
  return rows.length === 1;
}

/** @returns false when the name is taken */
export async function insertInstitution(database: Database, name: string, guest: boolean): Promise<boolean> {
  const rows = await database.query(
    'writer',
    'insert into institution (name, guest) values ($1, $2) on conflict do nothing returning 1',
    [name, guest],
  );
  return rows.length === 1;
}

export async function listInstitutions(database: Database): Promise<readonly string[]> {
  const rows = await database.query<{ name: string }>('writer', 'select name from institution order by name', []);
  return rows.map(({ name }) => name);
}
