// The proof of an anchor on an embedded ledger (src/trail/ledger/verify-embedded.ts): Ed25519 over canonical JSON.
import { demand, fromHex, sha256, toHex, utf8 } from './bytes.js';
import { canonical, constant, count, hexadecimal, listOf, nullable, record, text } from './json.js';

const PROPOSAL = 'medseal-ledger-proposal/1';
const CREDENTIAL = 'medseal-ledger-credential/1';
const BLOCK = 'medseal-ledger-block/1';

export const embeddedRoots = record({
  ledger: constant('embedded'),
  channel: hexadecimal(),
  blockSigner: hexadecimal(32),
  organisations: listOf(record({ mspId: text, publicKey: hexadecimal(32) })),
});

const attributes = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(text);
const credential = record({
  format: constant(CREDENTIAL),
  channel: hexadecimal(16),
  mspId: text,
  attributes,
  publicKey: hexadecimal(32),
  signature: hexadecimal(64),
});
const proofShape = record({
  ledger: constant('embedded'),
  header: record({
    format: constant(BLOCK),
    channel: hexadecimal(16),
    number: count,
    previousHash: hexadecimal(32),
    dataHash: hexadecimal(32),
    status: text,
    time: text,
  }),
  signature: hexadecimal(64),
  envelope: record({
    proposal: record({
      format: constant(PROPOSAL),
      channel: hexadecimal(16),
      contract: text,
      transaction: text,
      args: listOf(text),
      creator: credential,
      nonce: hexadecimal(24),
      time: text,
    }),
    simulation: record({
      reads: listOf(record({ key: text, version: nullable(count) })),
      writes: listOf(record({ key: text, value: text })),
      policies: listOf(record({ key: text, policy: hexadecimal() })),
      event: nullable(record({ name: text, payload: text })),
      response: text,
    }),
    endorsements: listOf(record({ mspId: text, signature: hexadecimal(64) })),
    signature: hexadecimal(64),
  }),
});

export const digest = async (value) => toHex(await sha256(utf8(canonical(value))));

async function isSigned(key, value, signature) {
  const imported = await crypto.subtle.importKey('raw', fromHex(key), { name: 'Ed25519' }, false, ['verify']);
  return crypto.subtle.verify({ name: 'Ed25519' }, imported, fromHex(signature), utf8(canonical(value)));
}

/** @returns the anchor, with block, blockTime, endorsedBy and assurance */
export async function embeddedAnchor(proof, roots) {
  demand(proofShape(proof), 'it is not a proof of an embedded ledger');
  const { header, signature, envelope } = proof;
  const { proposal, simulation, endorsements } = envelope;
  const { signature: vouched, ...claims } = proposal.creator;
  const keyOf = (mspId) => roots.organisations.find((one) => one.mspId === mspId)?.publicKey;
  const channels = [header.channel, proposal.channel, claims.channel];
  demand(
    channels.every((channel) => channel === roots.channel),
    'it is of another ledger',
  );
  demand((await digest(envelope)) === header.dataHash, 'the transaction is not the one in the block');
  demand(await isSigned(roots.blockSigner, header, signature), "the block's signature is wrong");
  demand(header.status === 'VALID', 'the transaction was not valid');
  const organisation = keyOf(claims.mspId);
  const submitted = { format: 'medseal-ledger-transaction/1', proposal, simulation, endorsements };
  const byMember =
    organisation !== undefined &&
    (await isSigned(organisation, claims, vouched)) &&
    (await isSigned(claims.publicKey, submitted, envelope.signature));
  demand(byMember, 'the transaction is not from a member of the ledger');
  const transactionId = await digest(proposal);
  const endorsed = { format: 'medseal-ledger-endorsement/1', transactionId, simulation };
  const endorsers = new Set();
  for (const { mspId, signature: own } of endorsements) {
    const key = keyOf(mspId);
    demand(
      key !== undefined && !endorsers.has(mspId) && (await isSigned(key, endorsed, own)),
      'an endorsement is wrong',
    );
    endorsers.add(mspId);
  }
  demand(endorsers.size >= 2 && endorsers.has(claims.mspId), 'its organisation and another one must have endorsed it');
  const anchoring = proposal.contract === 'anchor' && ['genesis', 'carry', 'append'].includes(proposal.transaction);
  demand(anchoring && simulation.writes.length === 1, 'the transaction anchored nothing');
  const anchor = JSON.parse(simulation.writes[0].value);
  demand(
    anchor.transactionId === transactionId && anchor.owner === claims.mspId,
    'the anchor is not of this transaction',
  );
  const endorsedBy = [...endorsers].sort();
  return { ...anchor, assurance: 'self-attested', block: header.number, blockTime: header.time, endorsedBy };
}
