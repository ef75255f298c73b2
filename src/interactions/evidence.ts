import { notFound } from '../consent/guarded-reader.ts';
import { isId } from '../fhir/references/reference.ts';
import type { RequestContext } from '../request-context.ts';
import { VERIFICATION_PAGE } from '../trail/certificate/contents.ts';
import { verifyEvidence } from '../trail/evidence/verify.ts';
import { parseVersion } from './read.ts';
import type { InteractionResult } from './result.ts';
import type { Services } from './services.ts';

type EvidenceServices = Pick<Services, 'reader' | 'evidence'>;

/** `GET [type]/[id]/_history/[vid]/$evidence`: for whoever may read that version. */
export async function evidence(
  services: EvidenceServices,
  context: RequestContext,
  type: string,
  id: string,
  versionId: string,
): Promise<InteractionResult> {
  const body = await evidenceFile(services, context, type, id, versionId);
  return { status: 200, body, headers: { 'Content-Type': 'application/json; charset=utf-8' } };
}

/** `GET [type]/[id]/_history/[vid]/$certificate`: the same on a page for people, as PDF, with the evidence attached. */
export async function certificate(
  services: EvidenceServices & Pick<Services, 'certificates' | 'roots' | 'publicUrl'>,
  context: RequestContext,
  type: string,
  id: string,
  versionId: string,
): Promise<InteractionResult> {
  const file = await evidenceFile(services, context, type, id, versionId);
  const page = `${services.publicUrl}${VERIFICATION_PAGE}`;
  const body = await services.certificates(file, verifyEvidence(file, services.roots), page);
  const headers = { 'Content-Type': 'application/pdf', 'Content-Disposition': 'inline; filename="certificate.pdf"' };
  return { status: 200, body, headers };
}

async function evidenceFile(
  services: EvidenceServices,
  context: RequestContext,
  type: string,
  id: string,
  versionId: string,
): Promise<Buffer> {
  const version = parseVersion(versionId);
  if (!isId(id) || version === undefined) throw notFound();
  const record = await services.reader.readVersion(context, type, id, version, { deletions: true });
  const { row, institution, content, author } = record;
  const { cid, salt } = await services.reader.leafSecrets(record);
  return services.evidence.collect({
    versionId: row.versionId,
    idToken: row.idToken,
    leafHash: row.leafHash,
    cid,
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
}
