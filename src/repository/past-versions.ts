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
  /** With whom these patients were merged, as a record's row tells it; see `parseMerge`. */
  mergesAt(patients: readonly string[], at: string): Promise<readonly string[]>;
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
    async mergesAt(patients, at) {
      const rows = await database.query<{ merge: string }>('writer', MERGES_AT, [patients, at]);
      return rows.map((row) => row.merge);
    },
  };
}

/** As settle_merges does for now (0020_merges.sql), by the links that stood then. */
const MERGES_AT = `
with recursive linked (patient, other, since) as (
  select patient, patient, 0::bigint from unnest($1::uuid[]) as patient
  union
  select l.patient, k.next, k.since
  from linked l cross join lateral (
    select other as next, since, until from patient_link where patient = l.other
    union all select patient, since, until from patient_link where other = l.other
  ) k
  where (select at from resource_version where id = k.since) <= $2
    and coalesce((select at from resource_version where id = k.until) > $2, true)
)
select distinct l.patient || ' ' || l.other || ' ' || max(l.since) over (partition by l.patient) as merge
from linked l where exists (select from linked m where m.patient = l.patient and m.since > 0)`;
