import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MIGRATIONS } from '../../src/storage/database/open.ts';

/** The functions that settle merges, so that they can be put in place of those that are there. */
export const MERGES = readFileSync(join(MIGRATIONS.records, '0020_merges.sql'), 'utf8').replaceAll(
  /^create function/gm,
  'create or replace function',
);

/** What becomes of merges when one of their parts is lost. Each must change whose rules hold, or who may find a record. */
export const MERGE_MUTANTS: readonly (readonly [what: string, from: string, to: string])[] = [
  ['affected: themselves', 'select unnest(patients) union select m.other', 'select m.other'],
  [
    'affected: whom they are merged with',
    'union select m.other from patient_merge m where m.patient = any (patients) order',
    'order',
  ],
  ['affected: of whoever is linked too', 'merged_with(said_by || others);', 'merged_with(array[said_by]);'],
  ['affected: of who says so too', 'merged_with(said_by || others);', 'merged_with(others);'],
  ['what was merged before is forgotten', 'delete from patient_merge where patient = any (affected);', ''],
  [
    'linked: by what they say',
    'select other as next from patient_link where patient = l.other and until is null',
    'select null::uuid as next where false',
  ],
  [
    'linked: by what others say of them',
    'union all select patient from patient_link where other = l.other and until is null',
    '',
  ],
  [
    'linked: no longer by what they said before',
    'select other as next from patient_link where patient = l.other and until is null',
    'select other as next from patient_link where patient = l.other',
  ],
  [
    'linked: no longer by what others said of them before',
    'select patient from patient_link where other = l.other and until is null',
    'select patient from patient_link where other = l.other',
  ],
  ['linked: over others', 'where patient = l.other and until', 'where patient = l.patient and until'],
  ['since: the newest link', 'max(k.since) as since', 'min(k.since) as since'],
  ['since: of links that stand', 'on k.until is null and k.patient = l.other', 'on k.patient = l.other'],
  ['since: of any of them', 'and k.patient = l.other\n', 'and k.patient = l.patient\n'],
  [
    'mirrored: what was before is forgotten',
    'delete from consent_rule where patient = any (affected) and mirrored;',
    '',
  ],
  ['their own rules stay', 'where patient = any (affected) and mirrored;', 'where patient = any (affected);'],
  ['suspended: permits', 'r.suspended <> (r.permit and exists (', 'r.suspended <> (false and exists ('],
  ['suspended: no denies', 'r.suspended <> (r.permit and exists (', 'r.suspended <> (exists ('],
  ['suspended: given before the merge', 'and c.version_id < m.since));', '));'],
  ['suspended: not what the merge finds given at once', 'c.version_id < m.since', 'c.version_id <= m.since'],
  ['suspended: of whoever is merged', 'where m.patient = r.patient and c.version_id', 'where c.version_id'],
  ['suspended: by its own consent', 'on c.consent = r.consent', 'on true'],
  ['suspended: given again when nobody is merged', 'set suspended = not r.suspended', 'set suspended = true'],
  ['mirrored: for each that they are merged with', 'and m.other <> r.patient\n', 'and false\n'],
  ['mirrored: for nobody twice', 'and m.other <> r.patient\n', '\n'],
  [
    'mirrored: for nobody else',
    'join patient_merge m on m.patient = r.patient and m.other',
    'join patient_merge m on m.other',
  ],
  [
    'mirrored: not what is suspended',
    'where r.patient = any (affected) and not r.suspended;',
    'where r.patient = any (affected);',
  ],
  ['mirrored: it is', 'r.readers, true\n', 'r.readers, false\n'],
  [
    'found by: whom the others permit',
    'set readers = array(select distinct reader from unnest(c.readers || added.readers)',
    'set readers = array(select distinct reader from unnest(c.readers)',
  ],
  ['found by: whom it was before', 'unnest(c.readers || added.readers) as', 'unnest(added.readers) as'],
  ['found by: of permits', 'and r.permit and not r.suspended\n    group', 'and not r.suspended\n    group'],
  ['found by: of each patient', 'where c.readers @> array[added.self] and', 'where'],
  ['said: no longer', 'update patient_link set until = in_version where', 'update patient_link set until = null where'],
  ['said: by this patient', 'where patient = said_by and until is null and other', 'where until is null and other'],
  [
    'said: what was over stays so',
    'where patient = said_by and until is null and other',
    'where patient = said_by and other',
  ],
  ['said: what is still said stays', 'and other <> all (others);', ';'],
  [
    'said: what stands is not said anew',
    'where k.patient = said_by and k.other = new.other and k.until is null);',
    'where false);',
  ],
  [
    'said: of each by itself',
    'where k.patient = said_by and k.other = new.other and k.until is null);',
    'where k.patient = said_by and k.until is null);',
  ],
  [
    'said: by each by itself',
    'where k.patient = said_by and k.other = new.other and k.until is null);',
    'where k.other = new.other and k.until is null);',
  ],
  ['said: again after it was over', 'and k.other = new.other and k.until is null);', 'and k.other = new.other);'],
  ['it is settled', 'perform settle_merges(affected);', ''],
];
