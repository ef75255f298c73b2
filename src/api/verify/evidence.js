// Verifies an evidence file with nothing but the browser: WebCrypto, and trust roots that its user was given. The same checks
// as src/trail/evidence/verify.ts, written apart from it; a test holds that the two agree.

import { anchorBefore, beforeShape } from './before.js';
import { concat, demand, fromBase64url, fromHex, Refusal, textOf, toBase64url, utf8 } from './bytes.js';
import { embeddedAnchor, embeddedRoots } from './embedded.js';
import { fabricAnchor, fabricRoots } from './fabric.js';
import { canonical, constant, count, hexadecimal, listOf, nullable, record, text } from './json.js';
import { isIncluded, leafHash } from './tree.js';

const FIELDS = {
  format: constant('medseal/evidence/1'),
  algorithms: record({
    commitment: constant('HMAC-SHA-256'),
    leaf: constant('RFC 8785, RFC 9162 §2.1.1 with SHA-256'),
    sealing: constant('RFC 7516 dir A256GCM'),
    tree: constant('RFC 9162 with SHA-256'),
  }),
  record: text,
  version: count,
  interaction: (value) => ['create', 'update', 'delete'].includes(value),
  time: text,
  author: text,
  resource: nullable(text),
  cid: nullable(text),
  previous: nullable(text),
  salt: text,
  leaf: count,
  inclusion: listOf(hexadecimal(32)),
  ledger: () => true,
};
const evidenceShape = record(FIELDS);
const carriedShape = record({ ...FIELDS, before: beforeShape });
const rootsShape = record({
  format: constant('medseal/roots/1'),
  ledger: (value) => embeddedRoots(value) || fabricRoots(value),
});

/**
 * @param {Uint8Array} file
 * @param {string} rootsFile what roots.json says
 * @returns what the evidence establishes
 * @throws {Refusal} that says which check failed
 */
export async function verifyEvidence(file, rootsFile) {
  const { ledger: roots } = parsed(rootsFile, rootsShape, 'the trust roots are not trust roots');
  const written = textOf(file);
  const shape = (value) => evidenceShape(value) || carriedShape(value);
  const evidence = parsed(written, shape, 'the file is not evidence');
  demand(canonical(evidence) === written, 'the file is not canonical JSON (RFC 8785)');
  try {
    return await verify(evidence, roots);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    // Whatever could not even be read.
    throw new Refusal('a part of it is not what it should be', { cause: error });
  }
}

async function verify(evidence, roots) {
  const anchor = await (roots.ledger === 'fabric' ? fabricAnchor : embeddedAnchor)(evidence.ledger, roots);
  const [institution = '', , id = '', ...rest] = evidence.record.split('/');
  demand(rest.length === 0 && id !== '', 'it does not name a record');
  demand(anchor.institution === institution, 'the anchor is of another institution');
  demand(anchor.log === 'records', 'the anchor is not of a log of records');
  const leaf = await leafHash(await leafOf(evidence));
  const included = await isIncluded(placeIn(evidence.leaf, leaf, anchor, evidence.inclusion));
  demand(included, 'the record, or what is said of it, is not what was logged and anchored');
  const { record: name, version, interaction, time, author, resource } = evidence;
  const verified = { record: name, version, interaction, time, author, resource, anchor };
  return evidence.before === undefined ? verified : { ...verified, before: await beforeOf(evidence, leaf, anchor) };
}

const placeIn = (index, leaf, { size, root }, proof) => ({
  index,
  size,
  leaf,
  root: fromHex(root),
  proof: proof.map(fromHex),
});

async function beforeOf({ leaf: index, before }, leaf, anchor) {
  demand(anchor.predecessor !== undefined, 'the log was not carried over from another ledger');
  const facts = await anchorBefore(before.past, anchor.predecessor);
  const same = facts.institution === anchor.institution && facts.log === anchor.log && facts.size <= anchor.size;
  demand(same, 'the ledger before anchored another log');
  const included = await isIncluded(placeIn(index, leaf, facts, before.inclusion));
  demand(included, 'the ledger before did not anchor the record');
  return facts;
}

async function leafOf({ record: name, version, interaction, time, author, resource, cid, previous, salt }) {
  const imported = await crypto.subtle.importKey('raw', fromBase64url(salt), { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
  ]);
  const commitment = async (to, value) => {
    const bytes = concat(utf8(`medseal/${to}/1\0`), utf8(value));
    return toBase64url(new Uint8Array(await crypto.subtle.sign('HMAC', imported, bytes)));
  };
  return canonical({
    author: await commitment('author', author),
    cid,
    content: resource === null ? null : await commitment('content', resource),
    format: 'medseal/leaf/1',
    interaction,
    kind: 'version',
    previous: previous === null ? null : toBase64url(fromBase64url(previous)),
    record: await commitment('record', name),
    time,
    version,
  });
}

function parsed(json, shape, reason) {
  let value;
  try {
    value = JSON.parse(json);
  } catch {
    throw new Refusal(reason);
  }
  demand(shape(value), reason);
  return value;
}
