import { MedSealError } from '../errors.ts';
import { parseVersion } from './read.ts';
import type { VersionMatch } from './write/entry.ts';

/**
 * Version ids out of If-Match or If-None-Match: `W/"3"`, `"3"`, several, or `*` (RFC 9110 §13.1). A tag that is no
 * version of ours matches nothing, which is what an unknown tag means.
 *
 * @throws MedSealError `invalid-parameter` for what is no list of entity tags
 */
export function parseVersionTags(text: string, expression: string): VersionMatch {
  if (text.trim() === '*') return '*';
  const tags = text.split(',').map((tag) => /^(?:W\/)?"?([^"]*)"?$/.exec(tag.trim())?.[1]);
  if (tags.some((tag) => tag === undefined || tag === '')) {
    throw new MedSealError('invalid-parameter', 'This is not a list of version tags such as W/"3"', { expression });
  }
  return tags.map((tag) => parseVersion(tag ?? '') ?? 0);
}

/** Epoch milliseconds of an HTTP date; undefined for anything else, which RFC 9110 says to ignore. */
export function parseHttpDate(text: string): number | undefined {
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}
