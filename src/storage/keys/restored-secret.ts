import { Client } from 'pg';
import { DatabaseError } from '../database/database-error.ts';
import { clientConfig, type Login } from '../database/postgres.ts';

/**
 * A wrapped secret, as the owner of the key service's database reads it while no server runs; undefined when there is
 * none of this name, or no key service yet.
 */
export async function selectSecretAsOwner(owner: Login, name: string): Promise<Buffer | undefined> {
  const client = new Client(clientConfig(owner, 'owner', {}));
  // A connection that is lost also fails the statement that is under way.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ wrapped: Buffer }>('select wrapped from secret where name = $1', [name]);
    return rows[0]?.wrapped;
  } catch (cause) {
    const error = new DatabaseError(cause, false);
    if (error.sqlState === UNDEFINED_TABLE) return undefined;
    throw error;
  } finally {
    await client.end();
  }
}

const UNDEFINED_TABLE = '42P01';
