import { notFound } from '../consent/guarded-reader.ts';
import { isId } from '../fhir/references/reference.ts';
import type { RequestContext } from '../request-context.ts';
import { parseVersion } from './read.ts';
import type { InteractionResult } from './result.ts';
import type { Services } from './services.ts';

/** `GET [type]/[id]/_history/[vid]/$evidence`: for whoever may read that version. */
export async function evidence(
  services: Pick<Services, 'reader' | 'evidence'>,
  context: RequestContext,
  type: string,
  id: string,
  versionId: string,
): Promise<InteractionResult> {
  const version = parseVersion(versionId);
  if (!isId(id) || version === undefined) throw notFound();
  const record = await services.reader.readVersion(context, type, id, version, { deletions: true });
  const { row, institution, content, author, salt } = record;
  const body = await services.evidence.collect({
    versionId: row.versionId,
    idToken: row.idToken,
    leafHash: row.leafHash,
    cid: record.cid,
    salt,
    interaction: row.interaction,
    institution,
    type,
    id,
    version,
    content,
    at: row.at,
    author,
  });
  return { status: 200, body, headers: { 'Content-Type': 'application/json; charset=utf-8' } };
}
