import assert from 'node:assert/strict';
import type { Answer } from '../support/fhir-client.ts';

/** Every occurrence of a name that the request itself held, also percent-encoded, becomes the same sign. */
export type Names = readonly string[];

/** Headers that differ from answer to answer whatever is asked. */
const OWN = new Set(['date', 'x-request-id']);

/**
 * What somebody on the wire sees: status, headers in their order, body. What the request said comes back in links, so it
 * is blotted out; a cursor is random, so only its length counts.
 */
function visible({ status, rawHeaders, text }: Answer, names: Names): string {
  const headers: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    if (!OWN.has(name.toLowerCase())) headers.push(`${name}: ${value}`);
  }
  let shown = [status, ...headers, '', text].join('\n');
  for (const name of names) shown = shown.replaceAll(name, '●').replaceAll(encodeURIComponent(name), '●');
  return shown.replaceAll(/_cursor=([\w.-]+)/g, (_, cursor: string) => `_cursor=<${cursor.length}>`);
}

/** @throws unless both answers look the same to the byte */
export function assertAlike(one: Answer, other: Answer, names: Names, what: string): void {
  assert.equal(visible(one, names), visible(other, names), what);
}
