import type { Database, Sql } from '../storage/database/port.ts';
import type { PermittedRow } from './permitted.ts';

/**
 * Versions by row, past the views: for the server's own needs (the consents that the second lock decides by, evidence,
 * scrubbing), never to be shown on the strength of this alone.
 */
export interface VersionLoader {
  /** Those that exist, in no particular order. */
  versions(versionIds: readonly bigint[]): Promise<readonly PermittedRow[]>;
  /** The newest version of each Consent of a patient and of whom they are merged with, in order. */
  consentsOf(patient: string, sql?: Sql): Promise<PatientConsents>;
  /** The sealed content of one that was too long to come with its row; undefined when it is not in the database. */
  sealed(versionId: bigint): Promise<string | undefined>;
}

export type PatientConsents = Pick<PermittedRow, 'consents' | 'merges'>;

export function createVersionLoader(database: Database): VersionLoader {
  return {
    versions: (versionIds) =>
      database.query<PermittedRow>(
        'writer',
        `select id as "versionId", institution, type, id_token as "idToken", version, interaction, at, patients, sealed,
           digest, envelope, leaf_hash as "leafHash", '{}'::bigint[] as consents,
           '{}'::text[] as merges
         from resource_version where id = any ($1::bigint[])`,
        [versionIds],
      ),
    async consentsOf(patient, sql) {
      const [found] = await (sql === undefined
        ? database.query<PatientConsents>('writer', CONSENTS_OF, [patient])
        : sql.query<PatientConsents>(CONSENTS_OF, [patient]));
      return found ?? { consents: [], merges: [] };
    },
    async sealed(versionId) {
      const text = 'select sealed from resource_version where id = $1';
      const [row] = await database.query<{ sealed: string | null }>('writer', text, [versionId]);
      return row?.sealed ?? undefined;
    },
  };
}

/** As the views tell it with a record (0005_views.sql). */
const CONSENTS_OF = `select
  array(
    select version_id from consent_current
    where patient = any (array(select $1::uuid union all select other from patient_merge where patient = $1))
    order by 1) as consents,
  array(
    select m.patient || ' ' || m.other || ' ' || m.since from patient_merge m where m.patient = $1 order by 1) as merges`;
