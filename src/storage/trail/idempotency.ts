import type { Database } from '../database/port.ts';

export interface StoredAnswer {
  readonly requestToken: string;
  readonly response: string;
}

export async function selectAnswer(
  database: Database,
  institution: number,
  keyToken: string,
): Promise<StoredAnswer | undefined> {
  const rows = await database.query<StoredAnswer>(
    'writer',
    `select request_token as "requestToken", response from idempotency where institution = $1 and key_token = $2`,
    [institution, keyToken],
  );
  return rows[0];
}

/** Forgets answers that nobody can still be waiting for. */
export async function deleteAnswersBefore(database: Database, at: string): Promise<void> {
  await database.query('writer', 'delete from idempotency where at < $1', [at]);
}
