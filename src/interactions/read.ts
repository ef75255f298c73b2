import type { PermittedRecord } from '../consent/guarded-reader.ts';
import { notFound } from '../consent/guarded-reader.ts';
import { MedSealError } from '../errors.ts';
import { isId } from '../fhir/references/reference.ts';
import type { RequestContext } from '../request-context.ts';
import { anchoredContents } from './anchor-state.ts';
import type { InteractionResult } from './result.ts';
import type { Services } from './services.ts';
import type { VersionMatch } from './write/entry.ts';

/** Conditions of a conditional read. */
export interface ReadConditions {
  /** Versions in If-None-Match; none where there is no such header. */
  readonly noneMatch: VersionMatch;
  /** If-Modified-Since, epoch milliseconds. */
  readonly modifiedSince: number | undefined;
}

/** http://hl7.org/fhir/R4/http.html#read */
export async function read(
  services: Pick<Services, 'reader' | 'evidence'>,
  context: RequestContext,
  type: string,
  id: string,
  conditions: ReadConditions,
): Promise<InteractionResult> {
  if (!isId(id)) throw notFound();
  return answer(services, await services.reader.read(context, type, id), conditions);
}

/** http://hl7.org/fhir/R4/http.html#vread */
export async function readVersion(
  services: Pick<Services, 'reader' | 'evidence'>,
  context: RequestContext,
  type: string,
  id: string,
  versionId: string,
  conditions: ReadConditions,
): Promise<InteractionResult> {
  const version = parseVersion(versionId);
  if (!isId(id) || version === undefined) throw notFound();
  return answer(services, await services.reader.readVersion(context, type, id, version), conditions);
}

/** Version ids are counted from 1; anything else names no version. */
export function parseVersion(text: string): number | undefined {
  return /^[1-9][0-9]{0,8}$/.test(text) ? Number(text) : undefined;
}

async function answer(
  services: Pick<Services, 'evidence'>,
  record: PermittedRecord,
  conditions: ReadConditions,
): Promise<InteractionResult> {
  const { version, at } = record.row;
  const header = { version, lastModified: at };
  if (isUnchanged(version, at, conditions)) return { status: 304, ...header };
  const [body] = await anchoredContents(services, [record]);
  if (body === undefined) throw new MedSealError('internal', 'A version that is read has content');
  return { status: 200, body, ...header };
}

/** RFC 9110 §13.2.2: If-Modified-Since is ignored where If-None-Match is given. HTTP dates have no fractions. */
function isUnchanged(version: number, at: string, { noneMatch, modifiedSince }: ReadConditions): boolean {
  if (noneMatch === '*') return true;
  if (noneMatch.length > 0) return noneMatch.includes(version);
  return modifiedSince !== undefined && Math.floor(Date.parse(at) / 1000) * 1000 <= modifiedSince;
}
