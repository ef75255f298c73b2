import type { TestNode } from '../support/test-node.ts';
import { onRecords } from './records-database.ts';

/**
 * All that the records database says of records and their logs, as text that does not depend on how rows happen to be
 * numbered: a leaf is told by the version that it belongs to, a version by its id token.
 */
export interface RecordsSnapshot {
  readonly versions: readonly string[];
  readonly current: readonly string[];
  readonly consents: readonly string[];
  readonly rules: readonly string[];
  readonly merges: readonly string[];
  readonly recordLeaves: readonly string[];
  readonly accessLeaves: readonly string[];
  readonly tiles: readonly string[];
  readonly batches: readonly string[];
}

const QUERIES: Readonly<Record<keyof RecordsSnapshot, string>> = {
  versions: `select jsonb_build_array(i.name, v.type, id_token, version, interaction, at, patients, facets,
      encode(digest, 'hex'), sealed, envelope, encode(leaf_hash, 'hex')) as line
    from resource_version v join institution i on i.id = v.institution order by id_token, version`,
  // Readers are a superset: a rebuild leaves those out that consents which are gone had brought.
  current: `select jsonb_build_array(c.self, c.id_token, i.name, c.type, c.version, c.at, c.deleted, c.content_token,
      (select array_agg(token order by token) from unnest(c.tokens) as token),
      (select array_agg(trait order by trait) from unnest(c.traits) as trait)) as line
    from resource_current c join institution i on i.id = c.institution
    join resource_version v on v.id = c.version_id and v.version = c.version and v.id_token = c.id_token
    order by c.id_token`,
  consents: `select jsonb_build_array(c.consent, c.patient, v.version) as line
    from consent_current c join resource_version v on v.id = c.version_id order by c.consent`,
  rules: `select jsonb_build_array(patient, consent, consent_version, provision, depth, permit, rank, valid_from,
      valid_until, names_emergency, conditions, readers, suspended, mirrored) as line
    from consent_rule order by consent, provision, depth, patient`,
  merges: `select jsonb_build_array(m.patient, m.other, v.id_token, v.version) as line
    from patient_merge m join resource_version v on v.id = m.since order by m.patient, m.other`,
  recordLeaves: `select jsonb_build_array(i.name, l.number, encode(l.hash, 'hex'), v.id_token, v.version) as line
    from leaf l join institution i on i.id = l.institution left join resource_version v on v.id = l.version_id
    where log = 1 order by i.name, number`,
  accessLeaves: `select jsonb_build_array(i.name, l.number, encode(l.hash, 'hex')) as line
    from leaf l join institution i on i.id = l.institution where log = 2 order by i.name, number`,
  tiles: `select jsonb_build_array(i.name, t.log, t.level, t.number, encode(t.hashes, 'hex')) as line
    from log_tile t join institution i on i.id = t.institution order by i.name, t.log, t.level, t.number`,
  batches: `select jsonb_build_array(i.name, b.log, b.first, b.size, encode(b.root, 'hex'), b.manifest,
      b.transaction_id, b.block, b.held) as line
    from batch b join institution i on i.id = b.institution order by i.name, b.log, b.size`,
};

export async function takeSnapshot(node: Pick<TestNode, 'dataDirectory' | 'databases'>): Promise<RecordsSnapshot> {
  const entries = Object.entries(QUERIES).map(async ([name, text]) => {
    const rows = await onRecords<{ line: unknown }>(node, text);
    return [name, rows.map(({ line }) => JSON.stringify(line))] as const;
  });
  return Object.fromEntries(await Promise.all(entries)) as unknown as RecordsSnapshot;
}
