import { selfToken } from '../sealing/identity.ts';
import type { KeyService } from '../sealing/key-service.ts';
import { envelopeKid, openEnvelope } from '../sealing/version.ts';
import type { Database, Sql } from '../storage/database/port.ts';
import { type Criterion, compileCriterion, Parameters } from './criteria.ts';
import type { Institution } from './institutions.ts';

/**
 * What a writer may ask of its own institution's partition, whatever patients consent elsewhere (DESIGN §3): whether an
 * id is taken and by which version, and which resources meet a condition. Ids and versions only; nothing of another
 * institution is ever looked at.
 */
export interface CurrentState {
  readonly idToken: string;
  readonly version: number;
  readonly deleted: boolean;
  readonly at: string;
  readonly leafHash: Buffer;
  readonly contentToken: string | null;
  readonly patients: readonly string[];
  readonly facets: readonly bigint[];
  readonly readers: readonly bigint[];
  readonly versionId: bigint;
}

export interface Match {
  readonly id: string;
  readonly idToken: string;
  readonly version: number;
}

export interface OwnPartition {
  /** The newest versions of these resources, by id token; absent where there is none. */
  states(institution: Institution, idTokens: readonly string[]): Promise<ReadonlyMap<string, CurrentState>>;
  /** At most `limit` resources of the type that meet the criterion. */
  match(institution: Institution, type: string, criterion: Criterion, limit: number): Promise<readonly Match[]>;
  /** The same question inside a transaction, for a guard. */
  matches(sql: Sql, institution: Institution, type: string, criterion: Criterion): Promise<boolean>;
}

interface MatchRow {
  readonly idToken: string;
  readonly version: number;
  readonly envelope: string;
}

export function createOwnPartition(database: Database, keys: KeyService): OwnPartition {
  return {
    async states(institution, idTokens) {
      if (idTokens.length === 0) return new Map();
      const rows = await database.query<CurrentState>(
        'writer',
        `select c.id_token as "idToken", c.version, c.deleted, c.at, v.leaf_hash as "leafHash",
           c.content_token as "contentToken", v.patients, v.facets,
           c.readers, c.version_id as "versionId"
         from resource_current c join resource_version v on v.id = c.version_id
         where c.self = any ($2::bigint[]) and c.id_token = any ($3::uuid[]) and c.institution = $1`,
        [institution.id, idTokens.map(selfToken), idTokens],
      );
      return new Map(rows.map((row) => [row.idToken, row]));
    },
    async match(institution, type, criterion, limit) {
      const parameters = new Parameters();
      const where = whereOf(institution, type, criterion, parameters);
      const rows = await database.query<MatchRow>(
        'writer',
        `select r.id_token as "idToken", r.version, v.envelope
         from resource_current r join resource_version v on v.id = r.version_id
         where ${where} order by r.version_id limit ${parameters.add(limit)}`,
        parameters.values,
      );
      return Promise.all(
        rows.map(async ({ idToken, version, envelope }) => {
          const key = await keys.openingKey(envelopeKid(envelope));
          const { facts } = openEnvelope({ institution: institution.name, type, idToken, version }, envelope, key);
          return { id: facts.id, idToken, version };
        }),
      );
    },
    async matches(sql, institution, type, criterion) {
      const parameters = new Parameters();
      const where = whereOf(institution, type, criterion, parameters);
      const rows = await sql.query(`select 1 from resource_current r where ${where} limit 1`, parameters.values);
      return rows.length > 0;
    },
  };
}

function whereOf(institution: Institution, type: string, criterion: Criterion, parameters: Parameters): string {
  const condition = compileCriterion(criterion, 'r', parameters, {
    table: 'resource_current',
    institution: institution.id,
  });
  return `r.institution = ${parameters.add(institution.id)} and r.type = ${parameters.add(type)}
    and not r.deleted and ${condition}`;
}
