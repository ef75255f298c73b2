import type { Database } from '../storage/database/port.ts';
import type { PermittedRow } from './permitted.ts';

/**
 * Versions by row, past the views: for the server's own needs (the consents that the second lock decides by, evidence,
 * scrubbing), never to be shown on the strength of this alone.
 */
export interface VersionLoader {
  /** Those that exist, in no particular order. */
  versions(versionIds: readonly bigint[]): Promise<readonly PermittedRow[]>;
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
    async sealed(versionId) {
      const text = 'select sealed from resource_version where id = $1';
      const [row] = await database.query<{ sealed: string | null }>('writer', text, [versionId]);
      return row?.sealed ?? undefined;
    },
  };
}
