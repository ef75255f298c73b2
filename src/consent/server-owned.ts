import type { Resource } from '@medplum/fhirtypes';

/** The server owns id, versionId and lastUpdated; everything else stays as it came, in its order. */
export function withoutVersion(resource: Resource, id: string): Resource {
  const { resourceType, id: _id, meta, ...rest } = resource as Resource & { meta?: Record<string, unknown> };
  const { versionId: _versionId, lastUpdated: _lastUpdated, ...kept } = meta ?? {};
  return { resourceType, id, meta: kept, ...rest } as Resource;
}

/** Puts versionId and lastUpdated at the beginning of meta, which stands after resourceType and id. */
export function withVersion(text: string, version: number, at: string): string {
  const owned = `"versionId":"${version}","lastUpdated":"${at}"`;
  const start = text.indexOf(META) + META.length;
  return `${text.slice(0, start)}${owned}${text[start] === '}' ? '' : ','}${text.slice(start)}`;
}

const META = '"meta":{';
