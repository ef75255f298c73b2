import type { Database } from '../storage/database/port.ts';
import { Parameters } from './criteria.ts';
import { type PrincipalSettings, settingsOf } from './permitted.ts';

/** Entries of the access trail, through the view that decides who may see them. */
export interface PermittedAccessRow {
  readonly id: bigint;
  readonly institution: number;
  readonly idToken: string;
  readonly at: string;
  readonly patients: readonly string[];
  readonly sealed: string;
}

export interface AccessQuery {
  readonly institution: number | undefined;
  readonly idTokens: readonly string[] | undefined;
  /** Pseudonyms of which one must be concerned, for each list. */
  readonly patients: readonly (readonly string[])[];
  /** Half-open ranges, RFC 3339; of each list one must hold. */
  readonly times: readonly (readonly { readonly from: string | undefined; readonly until: string | undefined }[])[];
  /** Newest first: continue below this row. */
  readonly before: bigint | undefined;
  readonly limit: number;
}

export interface PermittedAccessReader {
  entries(principal: PrincipalSettings, query: AccessQuery): Promise<readonly PermittedAccessRow[]>;
}

export function createPermittedAccessReader(database: Database): PermittedAccessReader {
  return {
    entries(principal, query) {
      const parameters = new Parameters();
      const where = conditionsOf(query, parameters).join(' and ') || 'true';
      const text = `select id, institution, id_token as "idToken", at, patients, sealed from permitted_access
        where ${where} order by id desc limit ${parameters.add(query.limit)}`;
      return database.transaction('reader', (sql) => sql.query<PermittedAccessRow>(text, parameters.values), {
        settings: settingsOf(principal),
        readOnly: true,
        pipelined: true,
      });
    },
  };
}

function conditionsOf(query: AccessQuery, parameters: Parameters): readonly string[] {
  const conditions: string[] = [];
  if (query.institution !== undefined) conditions.push(`institution = ${parameters.add(query.institution)}`);
  if (query.idTokens !== undefined) conditions.push(`id_token = any (${parameters.add(query.idTokens)}::uuid[])`);
  for (const patients of query.patients) conditions.push(`patients && ${parameters.add(patients)}::uuid[]`);
  for (const ranges of query.times) {
    const parts = ranges.map(({ from, until }) => {
      const bounds = [
        ...(from === undefined ? [] : [`at >= ${parameters.add(from)}::timestamptz`]),
        ...(until === undefined ? [] : [`at < ${parameters.add(until)}::timestamptz`]),
      ];
      return bounds.length === 0 ? 'true' : `(${bounds.join(' and ')})`;
    });
    conditions.push(`(${parts.join(' or ') || 'false'})`);
  }
  if (query.before !== undefined) conditions.push(`id < ${parameters.add(query.before)}`);
  return conditions;
}
