import type { Database } from '../database/port.ts';

/**
 * Records the use of a client assertion (RFC 7523, section 3, item 7) by one insert, so that of any number of
 * simultaneous uses one is the first.
 *
 * @param digest SHA-256 of what identifies the assertion among its client's
 * @param lifetime seconds until it expires
 * @returns false when it was used before
 */
export async function recordAssertion(
  database: Database,
  client: string,
  digest: Uint8Array,
  lifetime: number,
): Promise<boolean> {
  const rows = await database.query(
    'writer',
    `insert into auth_assertion (client, digest, expires_at) values ($1, $2, now() + make_interval(secs => $3))
     on conflict do nothing returning 1`,
    [client, digest, lifetime],
  );
  return rows.length === 1;
}
