// The proof of an anchor on a channel of Hyperledger Fabric (src/trail/ledger/verify-fabric.ts).
import { concat, demand, fromBase64, fromHex, sha256, toHex } from './bytes.js';
import { certificate, certificateFromPem, der, derInteger, isIssuedBy, isSigned } from './der.js';
import { constant, count, hexadecimal, listOf, nullable, record, text } from './json.js';
import {
  checkIdentifierHeader,
  checkOrdererMetadata,
  creatorOf,
  envelopeOf,
  identityOf,
  processedOf,
  transactionOf,
  writesOf,
} from './messages.js';

const organisation = record({ mspId: text, authorities: listOf(text) });
export const fabricRoots = record({
  ledger: constant('fabric'),
  channel: text,
  chaincode: text,
  organisations: listOf(organisation),
  orderers: listOf(organisation),
  quorum: count,
});
const proofShape = record({
  ledger: constant('fabric'),
  header: record({ number: count, previousHash: hexadecimal(32), dataHash: hexadecimal(32) }),
  metadata: text,
  signatures: listOf(
    record({ header: text, signer: nullable(record({ mspId: text, certificate: text })), signature: text }),
  ),
  envelopes: listOf(nullable(text)),
  attestation: text,
});

/** @returns the anchor, with block, blockTime, endorsedBy, orderedBy, confirmedBy and assurance */
export async function fabricAnchor(proof, roots) {
  demand(proofShape(proof), 'it is not a proof of a Fabric channel');
  const question = await transactionOf(fromBase64(proof.attestation));
  const answered = question.chaincode === 'qscc' && question.answeredBy === 'qscc';
  demand(answered && question.args[0] === 'GetTransactionByID', 'nobody says whether the transaction was valid');
  const processed = processedOf(question.answer);
  demand(processed.code === 0n, 'the transaction was not valid');
  const envelope = envelopeOf(processed.envelope);
  const transaction = await transactionOf(envelope.payload);
  const ofChannel = question.channel === roots.channel && transaction.channel === roots.channel;
  demand(ofChannel && transaction.chaincode === roots.chaincode, 'it is of another channel');
  const dataHash = await hashOfData(proof.envelopes, processed.envelope);
  demand(dataHash === proof.header.dataHash, 'the transaction is not the one in the block');

  const orderedBy = await signersOfBlock(proof, roots.orderers, transaction.time);
  demand(orderedBy.size >= roots.quorum, 'too few orderers signed the block');
  const { creator, time } = transaction;
  const clients = ['client', 'admin'];
  const client = await memberKey(
    roots.organisations,
    creator.mspId,
    certificateFromPem(creator.certificate),
    clients,
    time,
  );
  const byMember = client !== undefined && (await isSigned(client, envelope.payload, envelope.signature));
  demand(byMember, 'the transaction is not from a member of the channel');
  const endorsedBy = await endorsersOf(transaction, roots.organisations);
  demand(
    endorsedBy.size >= 2 && endorsedBy.has(creator.mspId),
    'its organisation and another one must have endorsed it',
  );
  const confirmedBy = await endorsersOf(question, roots.organisations);
  demand(confirmedBy.size >= 2, 'two organisations must say that the transaction was valid');
  const anchor = anchorWritten(transaction);
  return {
    ...anchor,
    assurance: 'anchored',
    block: proof.header.number,
    blockTime: anchor.time,
    endorsedBy: [...endorsedBy].sort(),
    orderedBy: [...orderedBy].sort(),
    confirmedBy: [...confirmedBy].sort(),
  };
}

async function hashOfData(envelopes, proved) {
  demand(envelopes.filter((each) => each === null).length === 1, 'it does not say which transaction it is about');
  const all = envelopes.map((each) => (each === null ? proved : fromBase64(each)));
  for (const each of all) envelopeOf(each);
  return toHex(await sha256(concat(...all)));
}

async function signersOfBlock({ header, metadata, signatures }, orderers, time) {
  const hashes = [header.previousHash, header.dataHash].map((hex) => der(0x04, fromHex(hex)));
  const block = der(0x30, derInteger(BigInt(header.number)), ...hashes);
  const signed = fromBase64(metadata);
  checkOrdererMetadata(signed);
  const signers = new Set();
  for (const { header: signatureHeader, signer, signature } of signatures) {
    const bytes = fromBase64(signatureHeader);
    const { mspId, shown } = signerOf(bytes, signer);
    const key = await memberKey(orderers, mspId, shown, ['orderer'], time);
    const holds = key !== undefined && (await isSigned(key, concat(signed, bytes, block), fromBase64(signature)));
    demand(holds && !signers.has(mspId), "an orderer's signature is wrong");
    signers.add(mspId);
  }
  return signers;
}

/** A BFT orderer is named beside its signature, a Raft one in what it signs. */
function signerOf(header, signer) {
  if (signer === null) {
    const { mspId, certificate: pem } = identityOf(creatorOf(header).creator);
    return { mspId, shown: certificateFromPem(pem) };
  }
  checkIdentifierHeader(header);
  return { mspId: signer.mspId, shown: certificate(fromBase64(signer.certificate)) };
}

async function endorsersOf({ endorsements, outcome, time }, organisations) {
  const signers = new Set();
  for (const { endorser, endorserBytes, signature } of endorsements) {
    const shown = certificateFromPem(endorser.certificate);
    const key = await memberKey(organisations, endorser.mspId, shown, ['peer'], time);
    const holds = key !== undefined && (await isSigned(key, concat(outcome, endorserBytes), signature));
    demand(holds && !signers.has(endorser.mspId), 'an endorsement is wrong');
    signers.add(endorser.mspId);
  }
  return signers;
}

/** The key of a member in one of these roles at that time; undefined when the certificate is not of one. */
async function memberKey(organisations, mspId, shown, roles, time) {
  const authorities = organisations.filter((one) => one.mspId === mspId).flatMap((one) => one.authorities);
  const fits = !shown.isAuthority && shown.from <= time && time <= shown.until;
  if (!fits || !roles.some((role) => shown.units.includes(role))) return undefined;
  for (const pem of authorities) if (await isIssuedBy(shown, certificateFromPem(pem))) return shown.key;
  return undefined;
}

function anchorWritten(transaction) {
  const [name = ''] = transaction.args;
  const anchoring = ['anchor:genesis', 'anchor:carry', 'anchor:append'].includes(name);
  demand(anchoring && transaction.answeredBy === transaction.chaincode, 'the transaction anchored nothing');
  const writes = writesOf(transaction.results);
  demand(writes.length === 1 && writes[0].namespace === transaction.chaincode, 'the transaction anchored nothing');
  const anchor = JSON.parse(writes[0].value);
  const key = `\u0000anchor\u0000${anchor.institution}\u0000${anchor.log}\u0000`;
  const ofIt = writes[0].key === key && anchor.transactionId === transaction.transactionId;
  demand(ofIt && anchor.owner === transaction.creator.mspId, 'the anchor is not of this transaction');
  return anchor;
}
