import type { Database } from '../storage/database/port.ts';
import type { PermittedRow } from './permitted.ts';

/**
 * Versions by row, past the views: for the server's own needs (the consents that the second lock decides by, evidence,
 * scrubbing), never to be shown on the strength of this alone.
 */
export interface VersionLoader {
  /** Those that exist, in no particular order. */
  versions(versionIds: readonly bigint[]): Promise<readonly PermittedRow[]>;
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
  };
}
