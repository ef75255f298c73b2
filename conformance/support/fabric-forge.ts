import { hash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { common, ledger, msp, peer } from '@hyperledger/fabric-protos';
import { type Layout, layout } from '../../fabric/network/layout.ts';
import type { Organisation } from '../../fabric/network/organisations.ts';
import { type Credential, readCredential, signLowS } from '../../fabric/network/x509.ts';
import { DER, der, derInteger } from '../../src/trail/ledger/fabric/der.ts';
import type { BlockSignature, FabricProof } from '../../src/trail/ledger/fabric/proof.ts';

/** Somebody with a key, as messages name them. */
export interface Signer extends Credential {
  readonly mspId: string;
}

/** The keys of a network of plain processes: what whoever holds them could sign. */
export function keysOf(root: string) {
  const files: Layout = layout(root);
  const signer = (mspId: string, certificate: string, key: string): Signer => ({
    mspId,
    ...readCredential(readFileSync(certificate), readFileSync(key)),
  });
  const node = (mspId: string, folder: string, certificate: string) =>
    signer(mspId, join(folder, 'msp/signcerts', certificate), join(folder, 'msp/keystore/priv_sk'));
  return {
    peer: (of: Organisation) => node(of.mspId, files.peer(of), `peer.${of.domain}-cert.pem`),
    orderer: (of: Organisation) => node(of.ordererMspId, files.orderer(of), `orderer.${of.domain}-cert.pem`),
    client: (of: Organisation) =>
      signer(of.mspId, join(files.client(of), 'client-certificate.pem'), join(files.client(of), 'client-key.pem')),
  };
}

export interface Forgery {
  /** Who signs the transaction; its id follows from that. */
  readonly creator: Signer;
  readonly endorsers: readonly Signer[];
  readonly orderers: readonly Signer[];
  /** Who says that it was valid, and what they say. */
  readonly confirmers: readonly Signer[];
  readonly code?: number;
  /** Changes the state that the transaction wrote. */
  readonly alter?: (state: Record<string, unknown>) => Record<string, unknown>;
}

/** Makes a proof anew from a real one of a block of one transaction, every signature by the keys that are given. */
export function forge(proof: FabricProof, forgery: Forgery): FabricProof {
  const question = common.Payload.deserializeBinary(bytesOf(proof.attestation));
  const asked = actionOf(question);
  const processed = peer.ProcessedTransaction.deserializeBinary(answerOf(asked));
  const envelope = reSigned(processed.getTransactionenvelope(), forgery);
  processed.setTransactionenvelope(envelope);
  processed.setValidationcode(forgery.code ?? 0);
  byCreator(question, forgery.creator);
  setAnswer(asked, processed.serializeBinary());
  putAction(question, asked, forgery.confirmers);

  const dataHash = hash('sha256', envelope.serializeBinary(), 'hex');
  const header = { ...proof.header, dataHash };
  const signatures = forgery.orderers.map((orderer, index) => blockSignature(proof, header, orderer, index));
  return { ...proof, header, signatures, attestation: base64(question.serializeBinary()) };
}

/**
 * A prepared transaction with another outcome, endorsed by these and signed by its creator, whatever the contract would say
 * to it: what a peer that lies would endorse.
 */
export function endorseAnew(bytes: Uint8Array, forgery: Pick<Forgery, 'creator' | 'endorsers' | 'alter'>): Uint8Array {
  return reSigned(common.Envelope.deserializeBinary(bytes), forgery).serializeBinary();
}

function reSigned(
  original: common.Envelope | undefined,
  { creator, endorsers, alter }: Pick<Forgery, 'creator' | 'endorsers' | 'alter'>,
): common.Envelope {
  const payload = common.Payload.deserializeBinary(original?.getPayload_asU8() ?? new Uint8Array());
  const action = actionOf(payload);
  const transactionId = byCreator(payload, creator);
  rewrite(action, (state) => ({ ...(alter?.(state) ?? state), transactionId }));
  putAction(payload, action, endorsers);
  const envelope = new common.Envelope();
  envelope.setPayload(payload.serializeBinary());
  envelope.setSignature(signLowS(creator.key, payload.serializeBinary()));
  return envelope;
}

/** The one action of a transaction: what was proposed and what was endorsed. */
function actionOf(payload: common.Payload): peer.ChaincodeActionPayload {
  const [action] = peer.Transaction.deserializeBinary(payload.getData_asU8()).getActionsList();
  return peer.ChaincodeActionPayload.deserializeBinary(action?.getPayload_asU8() ?? new Uint8Array());
}

/** Puts another creator in the header. @returns the transaction's id, which follows from creator and nonce */
function byCreator(payload: common.Payload, creator: Signer): string {
  const header = payload.getHeader() ?? new common.Header();
  const signed = common.SignatureHeader.deserializeBinary(header.getSignatureHeader_asU8());
  signed.setCreator(identityOf(creator));
  const transactionId = hash('sha256', Buffer.concat([signed.getNonce_asU8(), signed.getCreator_asU8()]), 'hex');
  const channel = common.ChannelHeader.deserializeBinary(header.getChannelHeader_asU8());
  channel.setTxId(transactionId);
  header.setSignatureHeader(signed.serializeBinary());
  header.setChannelHeader(channel.serializeBinary());
  payload.setHeader(header);
  return transactionId;
}

/** Has the action endorsed by these, over a proposal hash that fits, and puts it in the payload. */
function putAction(payload: common.Payload, action: peer.ChaincodeActionPayload, endorsers: readonly Signer[]): void {
  const header = payload.getHeader() ?? new common.Header();
  const endorsed = action.getAction() ?? new peer.ChaincodeEndorsedAction();
  const response = peer.ProposalResponsePayload.deserializeBinary(endorsed.getProposalResponsePayload_asU8());
  const proposal = [
    header.getChannelHeader_asU8(),
    header.getSignatureHeader_asU8(),
    action.getChaincodeProposalPayload_asU8(),
  ];
  response.setProposalHash(hash('sha256', Buffer.concat(proposal), 'buffer'));
  const outcome = response.serializeBinary();
  endorsed.setProposalResponsePayload(outcome);
  endorsed.setEndorsementsList(
    endorsers.map((endorser) => {
      const endorsement = new peer.Endorsement();
      endorsement.setEndorser(identityOf(endorser));
      endorsement.setSignature(signLowS(endorser.key, Buffer.concat([outcome, identityOf(endorser)])));
      return endorsement;
    }),
  );
  action.setAction(endorsed);
  const inTransaction = new peer.TransactionAction();
  inTransaction.setHeader(header.getSignatureHeader_asU8());
  inTransaction.setPayload(action.serializeBinary());
  const transaction = new peer.Transaction();
  transaction.setActionsList([inTransaction]);
  payload.setData(transaction.serializeBinary());
}

function chaincodeActionOf(action: peer.ChaincodeActionPayload) {
  const endorsed = action.getAction() ?? new peer.ChaincodeEndorsedAction();
  const response = peer.ProposalResponsePayload.deserializeBinary(endorsed.getProposalResponsePayload_asU8());
  return { endorsed, response, inner: peer.ChaincodeAction.deserializeBinary(response.getExtension_asU8()) };
}

function putChaincodeAction(action: peer.ChaincodeActionPayload, changed: ReturnType<typeof chaincodeActionOf>): void {
  changed.response.setExtension$(changed.inner.serializeBinary());
  changed.endorsed.setProposalResponsePayload(changed.response.serializeBinary());
  action.setAction(changed.endorsed);
}

function answerOf(action: peer.ChaincodeActionPayload): Uint8Array {
  return chaincodeActionOf(action).inner.getResponse()?.getPayload_asU8() ?? new Uint8Array();
}

function setAnswer(action: peer.ChaincodeActionPayload, answer: Uint8Array): void {
  const all = chaincodeActionOf(action);
  all.inner.getResponse()?.setPayload(answer);
  putChaincodeAction(action, all);
}

/** Changes the one state that was written. */
function rewrite(
  action: peer.ChaincodeActionPayload,
  alter: (state: Record<string, unknown>) => Record<string, unknown>,
): void {
  const all = chaincodeActionOf(action);
  const results = ledger.rwset.TxReadWriteSet.deserializeBinary(all.inner.getResults_asU8());
  for (const set of results.getNsRwsetList()) {
    const inSpace = ledger.rwset.kvrwset.KVRWSet.deserializeBinary(set.getRwset_asU8());
    for (const write of inSpace.getWritesList()) {
      const state = JSON.parse(Buffer.from(write.getValue_asU8()).toString('utf8')) as Record<string, unknown>;
      write.setValue(Buffer.from(JSON.stringify(alter(state))));
    }
    set.setRwset(inSpace.serializeBinary());
  }
  all.inner.setResults(results.serializeBinary());
  putChaincodeAction(action, all);
}

function blockSignature(
  proof: FabricProof,
  { number, previousHash, dataHash }: FabricProof['header'],
  { mspId, certificate, key }: Signer,
  index: number,
): BlockSignature {
  const hashes = [previousHash, dataHash].map((hex) => der(DER.OCTET_STRING, Buffer.from(hex, 'hex')));
  const block = der(DER.SEQUENCE, derInteger(BigInt(number)), ...hashes);
  const identifier = new common.IdentifierHeader();
  identifier.setIdentifier(index + 1);
  identifier.setNonce(Buffer.alloc(24, index + 1));
  const header = Buffer.from(identifier.serializeBinary());
  const signature = signLowS(key, Buffer.concat([bytesOf(proof.metadata), header, block]));
  const signer = { mspId, certificate: base64(certificate.raw) };
  return { header: base64(header), signer, signature: base64(signature) };
}

function identityOf({ mspId, certificate }: Signer): Uint8Array {
  const identity = new msp.SerializedIdentity();
  identity.setMspid(mspId);
  identity.setIdBytes(Buffer.from(new X509Certificate(certificate.raw).toString()));
  return identity.serializeBinary();
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'base64');
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
