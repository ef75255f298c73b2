import type { Database, Sql } from '../storage/database/port.ts';
import type { VersionDraft } from './write.ts';

/**
 * Records that turn out to be of one patient, as `Patient.link` says (DESIGN §7.6). What that does to their consents'
 * rules is 0020_merges.sql.
 */
export interface Merging {
  /** The Patient that says so, as a pseudonym, and its version. */
  readonly patient: string;
  readonly version: number;
  /** Everyone whom it is merged with from now on, by what it says itself. */
  readonly others: readonly string[];
}

/** With whom a patient is merged, both as pseudonyms, and the version row of the newest link that makes it so. */
export interface Merge {
  readonly patient: string;
  readonly other: string;
  readonly since: bigint;
}

/** What the views and other statements tell as one text. */
export function parseMerge(text: string): Merge {
  const [patient = '', other = '', since = '0'] = text.split(' ');
  return { patient, other, since: BigInt(since) };
}

/** Of these versions the ones that say something else of merges than their Patient did before. */
export async function changedMergings(
  database: Database,
  drafts: readonly VersionDraft[],
): Promise<readonly Merging[]> {
  const saying = drafts.flatMap(mergingOf);
  if (saying.length === 0) return [];
  const said = await database.query<{ patient: string; other: string }>(
    'writer',
    'select patient, other from patient_link where patient = any ($1::uuid[]) and until is null',
    [saying.map(({ patient }) => patient)],
  );
  return saying.filter(({ patient, others }) => {
    const before = new Set(said.filter((one) => one.patient === patient).map(({ other }) => other));
    return before.symmetricDifference(new Set(others)).size > 0;
  });
}

/** What a version says of merges; none where neither it nor one before it can have said anything. */
export function mergingOf({ idToken, version, merges }: VersionDraft): readonly Merging[] {
  if (merges === undefined || (merges.length === 0 && version === 1)) return [];
  return [{ patient: idToken, version, others: merges }];
}

/** Under the locks of all of them, and of merging (`lockPatients`). */
export async function mergePatients(sql: Sql, { patient, version, others }: Merging): Promise<void> {
  await sql.query(
    'select link_patient($1, $2::uuid[], id) from resource_version where id_token = $1 and version = $3',
    [patient, others, version],
  );
}

/** The rules of a consent that was just written, for everyone whom its patient is merged with. */
export async function settleMerges(sql: Sql, patient: string): Promise<void> {
  await sql.query(
    `select settle_merges(merged_with(array[$1::uuid]))
     where exists (select from patient_merge where patient = $1::uuid)`,
    [patient],
  );
}
