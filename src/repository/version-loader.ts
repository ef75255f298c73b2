import type { Database, Sql } from '../storage/database/port.ts';
import type { PermittedRow } from './permitted.ts';

/**
 * Versions by row, past the views: for the server's own needs (the consents that the second lock decides by, evidence,
 * scrubbing), never to be shown on the strength of this alone.
 */
export interface VersionLoader {
  /** Those that exist, in no particular order. */
  versions(versionIds: readonly bigint[]): Promise<readonly PermittedRow[]>;
  /** Version rows of the newest version of each Consent of a patient, in order. */
  consentsOf(patient: string, sql?: Sql): Promise<readonly bigint[]>;
  /** The sealed content of one that was too long to come with its row; undefined when it is not in the database. */
  sealed(versionId: bigint): Promise<string | undefined>;
}

export function createVersionLoader(database: Database): VersionLoader {
  return {
    versions: (versionIds) =>
      database.query<PermittedRow>(
        'writer',
        `select id as "versionId", institution, type, id_token as "idToken", version, interaction, at, patients, sealed,
           digest, envelope, leaf_hash as "leafHash", '{}'::bigint[] as consents
         from resource_version where id = any ($1::bigint[])`,
        [versionIds],
      ),
    async consentsOf(patient, sql) {
      const text = 'select version_id as "versionId" from consent_current where patient = $1 order by version_id';
      const rows = await (sql === undefined
        ? database.query<{ versionId: bigint }>('writer', text, [patient])
        : sql.query<{ versionId: bigint }>(text, [patient]));
      return rows.map((row) => row.versionId);
    },
    async sealed(versionId) {
      const text = 'select sealed from resource_version where id = $1';
      const [row] = await database.query<{ sealed: string | null }>('writer', text, [versionId]);
      return row?.sealed ?? undefined;
    },
  };
}
