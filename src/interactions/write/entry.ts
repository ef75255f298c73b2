import type { Resource } from '@medplum/fhirtypes';
import type { JsonValue } from '../../fhir/json/parse.ts';
import type { SearchPairs } from '../query-text.ts';

/** One write as asked for, alone or as an entry of a Bundle; nothing resolved yet. */
export interface WriteEntry {
  readonly method: 'POST' | 'PUT' | 'DELETE' | 'PATCH';
  readonly type: string;
  /** From the URL. */
  readonly id: string | undefined;
  /** Search parameters of a conditional update, patch or delete. */
  readonly conditional: SearchPairs | undefined;
  /** Search parameters of a conditional create. */
  readonly ifNoneExist: SearchPairs | undefined;
  readonly ifMatch: VersionMatch | undefined;
  /** `If-None-Match: *` on a PUT: only to create. */
  readonly onlyCreate: boolean;
  /** Its references are rewritten in place. */
  readonly resource: Resource | undefined;
  /** Of a PATCH: makes the new content out of a copy of the present one. */
  readonly patch?: Patch | undefined;
  /** The version that the new content was made from: any other one is a conflict. */
  readonly basedOn?: number;
  /** The id that it gets if it turns out to need a new one; the same however often the write is planned. */
  readonly newId: string;
  readonly fullUrl: string | undefined;
  /** Where it stands, for errors: `Bundle.entry[3]`, or '' alone. */
  readonly expression: string;
}

/** @throws MedSealError `patch-failed` */
export type Patch = (resource: JsonValue) => JsonValue;

/** Versions of an If-Match, or any that exists. */
export type VersionMatch = readonly number[] | '*';

export function expressionOf(entry: WriteEntry, rest: string): string {
  return entry.expression === '' ? rest : `${entry.expression}.${rest}`;
}

/** FHIRPath of the entry's resource: `Bundle.entry[3].resource`, or its type alone. */
export function resourceExpression(entry: WriteEntry): string {
  return entry.expression === '' ? entry.type : `${entry.expression}.resource`;
}
