import type { Database } from '../storage/database/port.ts';

/**
 * Which versions were the newest at a past moment, past the views: for explaining and replaying decisions, never to be
 * shown on the strength of this alone. Moments are RFC 3339.
 */
export interface PastVersions {
  recordAt(idToken: string, at: string): Promise<bigint | undefined>;
  version(idToken: string, version: number): Promise<bigint | undefined>;
  /** Of every Consent that ever named one of these patients and was there; whom it then was about it tells itself. */
  consentsAt(patients: readonly string[], at: string): Promise<readonly bigint[]>;
}

interface Row {
  readonly id: bigint;
}

export function createPastVersions(database: Database): PastVersions {
  return {
    async recordAt(idToken, at) {
      const [row] = await database.query<Row>(
        'writer',
        'select id from resource_version where id_token = $1 and at <= $2 order by version desc limit 1',
        [idToken, at],
      );
      return row?.id;
    },
    async version(idToken, version) {
      const [row] = await database.query<Row>(
        'writer',
        'select id from resource_version where id_token = $1 and version = $2',
        [idToken, version],
      );
      return row?.id;
    },
    async consentsAt(patients, at) {
      const rows = await database.query<Row & { readonly interaction: string }>(
        'writer',
        `select distinct on (v.id_token) v.id, v.interaction from resource_version v
         where v.at <= $2 and v.id_token in (
           select c.id_token from resource_version c where c.type = 'Consent' and c.patients && $1::uuid[])
         order by v.id_token, v.version desc`,
        [patients, at],
      );
      return rows.filter((row) => row.interaction !== 'delete').map((row) => row.id);
    },
  };
}
