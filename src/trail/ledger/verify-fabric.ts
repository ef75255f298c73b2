import { hash } from 'node:crypto';
import { common, ledger, peer } from '@hyperledger/fabric-protos';
import type { Anchor } from 'medseal-chaincode/rules';
import { MedSealError } from '../../errors.ts';
import { DER, der, derInteger } from './fabric/der.ts';
import { verifySignature } from './fabric/ecdsa.ts';
import { type Envelope, readEnvelope } from './fabric/envelope.ts';
import { memberKey } from './fabric/identity.ts';
import { type BlockSignature, type FabricProof, fromBase64, proofShape } from './fabric/proof.ts';
import { decode, present } from './fabric/protobuf.ts';
import { QUERY_CHAINCODE, TRANSACTION_QUERY } from './fabric/queries.ts';
import { type Authorities, authoritiesOf, type FabricRoots } from './fabric/roots.ts';
import { type EndorsedTransaction, readIdentity, readTransaction } from './fabric/transaction.ts';

/** What a proof proves about an anchor. */
export interface FabricAnchorFacts extends Anchor {
  /** Organisations that do not depend on one another took it, and found it valid. */
  readonly assurance: 'anchored';
  readonly block: number;
  /**
   * Blocks have no time. That of the transaction is its client's, which every endorser found to be within five minutes of
   * its own clock.
   */
  readonly blockTime: string;
  /** MSP ids, sorted: whose peers came to this result, */
  readonly endorsedBy: readonly string[];
  /** whose orderers signed the block that it is in, */
  readonly orderedBy: readonly string[];
  /** and whose peers say that it was valid. */
  readonly confirmedBy: readonly string[];
}

const VALID = 0;
const ANCHORING: ReadonlySet<string> = new Set(['anchor:genesis', 'anchor:carry', 'anchor:append']);

/**
 * Verifies offline that a transaction on a consortium's channel anchored a tree head. Everything in the proof is covered
 * by a signature or a digest in its one form, and nothing else is let in; of its JSON text, the caller makes sure that
 * it is canonical.
 *
 * @param proof parsed JSON of unknown origin
 * @param roots pinned by the verifier, never taken from where the proof comes from
 * @throws MedSealError `evidence-invalid`, saying which check failed
 */
export function verifyFabricAnchor(proof: unknown, roots: FabricRoots): FabricAnchorFacts {
  demand(proofShape(proof), 'it is not a proof of a Fabric channel');
  try {
    return verify(proof as FabricProof, roots);
  } catch (cause) {
    if (!(cause instanceof MedSealError) || cause.code !== 'ledger-rejected') throw cause;
    throw new MedSealError('evidence-invalid', "The ledger's proof does not hold: it is not in its one form", {
      cause,
    });
  }
}

function verify(proof: FabricProof, roots: FabricRoots): FabricAnchorFacts {
  const members = authoritiesOf(roots.organisations);
  const question = readTransaction(fromBase64(proof.attestation));
  const answered = question.chaincode === QUERY_CHAINCODE && question.answeredBy === QUERY_CHAINCODE;
  demand(answered && question.args[0] === TRANSACTION_QUERY, 'nobody says whether the transaction was valid');
  const processed = decode(peer.ProcessedTransaction, question.answer);
  demand(processed.getValidationcode() === VALID, 'the transaction was not valid');
  const bytes = present(processed.getTransactionenvelope()).serializeBinary();
  const envelope = readEnvelope(bytes);
  const transaction = readTransaction(envelope.payload);
  const ofChannel = [question, transaction].every(({ channel }) => channel === roots.channel);
  demand(ofChannel && transaction.chaincode === roots.chaincode, 'it is of another channel');

  demand(dataHash(proof, bytes) === proof.header.dataHash, 'the transaction is not the one in the block');
  const orderedBy = orderersOf(proof, authoritiesOf(roots.orderers), transaction.time);
  demand(orderedBy.size >= roots.quorum, 'too few orderers signed the block');
  demand(isByMember(transaction, envelope, members), 'the transaction is not from a member of the channel');
  const endorsedBy = endorsersOf(transaction, members);
  const { mspId } = transaction.creator;
  const own = endorsedBy.size >= 2 && endorsedBy.has(mspId);
  demand(own, 'its organisation and another one must have endorsed it');
  const confirmedBy = endorsersOf(question, members);
  demand(confirmedBy.size >= 2, 'two organisations must say that the transaction was valid');

  const anchor = writtenAnchor(transaction);
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

/**
 * Digest of the block's transactions with the proved one in its place. They follow one another with nothing between, so
 * each has to be an envelope in its one form, or the same bytes could be divided otherwise.
 */
function dataHash({ envelopes }: FabricProof, proved: Uint8Array): string {
  demand(envelopes.filter((each) => each === null).length === 1, 'it does not say which transaction it is about');
  const all = envelopes.map((each) => (each === null ? Buffer.from(proved) : fromBase64(each)));
  for (const each of all) readEnvelope(each);
  return hash('sha256', Buffer.concat(all), 'hex');
}

/** The organisations whose orderers signed the block, each once. */
function orderersOf(proof: FabricProof, orderers: Authorities, time: number): ReadonlySet<string> {
  const { number, previousHash, dataHash: data } = proof.header;
  const hashes = [previousHash, data].map((hex) => der(DER.OCTET_STRING, Buffer.from(hex, 'hex')));
  const header = der(DER.SEQUENCE, derInteger(BigInt(number)), ...hashes);
  const metadata = fromBase64(proof.metadata);
  decode(common.OrdererBlockMetadata, metadata);
  const signers = new Set<string>();
  for (const signature of proof.signatures) {
    const { mspId, certificate } = signerOf(signature);
    const key = memberKey(orderers, mspId, certificate, ['orderer'], time);
    const message = Buffer.concat([metadata, fromBase64(signature.header), header]);
    const signed = key !== undefined && verifySignature(key, message, fromBase64(signature.signature));
    demand(signed && !signers.has(mspId), "an orderer's signature is wrong");
    signers.add(mspId);
  }
  return signers;
}

function signerOf({ header, signer }: BlockSignature): { mspId: string; certificate: string | Buffer } {
  if (signer === null) return readIdentity(decode(common.SignatureHeader, fromBase64(header)).getCreator_asU8());
  decode(common.IdentifierHeader, fromBase64(header));
  return { mspId: signer.mspId, certificate: fromBase64(signer.certificate) };
}

function isByMember({ creator, time }: EndorsedTransaction, envelope: Envelope, members: Authorities): boolean {
  const key = memberKey(members, creator.mspId, creator.certificate, ['client', 'admin'], time);
  return key !== undefined && verifySignature(key, envelope.payload, envelope.signature);
}

/** The organisations whose peers endorsed exactly this outcome, each once. */
function endorsersOf(transaction: EndorsedTransaction, members: Authorities): ReadonlySet<string> {
  const signers = new Set<string>();
  for (const { endorser, endorserBytes, signature } of transaction.endorsements) {
    const key = memberKey(members, endorser.mspId, endorser.certificate, ['peer'], transaction.time);
    const message = Buffer.concat([transaction.outcome, endorserBytes]);
    const signed = key !== undefined && verifySignature(key, message, signature);
    demand(signed && !signers.has(endorser.mspId), 'an endorsement is wrong');
    signers.add(endorser.mspId);
  }
  return signers;
}

/** The state that the transaction wrote, which the endorsements cover as they do the arguments. */
function writtenAnchor(transaction: EndorsedTransaction): Anchor {
  const [name = ''] = transaction.args;
  const anchoring = ANCHORING.has(name) && transaction.answeredBy === transaction.chaincode;
  demand(anchoring, 'the transaction anchored nothing');
  const writes = decode(ledger.rwset.TxReadWriteSet, transaction.results)
    .getNsRwsetList()
    .flatMap((set) => {
      const inSpace = decode(ledger.rwset.kvrwset.KVRWSet, set.getRwset_asU8()).getWritesList();
      return inSpace.map((write) => ({ space: set.getNamespace(), write }));
    });
  const [only, ...more] = writes;
  demand(only?.space === transaction.chaincode && more.length === 0, 'the transaction anchored nothing');
  const anchor = JSON.parse(Buffer.from(only.write.getValue_asU8()).toString('utf8')) as Anchor;
  const key = `\u0000anchor\u0000${anchor.institution}\u0000${anchor.log}\u0000`;
  const ofIt = only.write.getKey() === key && anchor.transactionId === transaction.transactionId;
  demand(ofIt && anchor.owner === transaction.creator.mspId, 'the anchor is not of this transaction');
  return anchor;
}

function demand(condition: boolean, reason: string): asserts condition {
  if (!condition) throw new MedSealError('evidence-invalid', `The ledger's proof does not hold: ${reason}`);
}
