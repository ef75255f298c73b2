// The messages of Hyperledger Fabric 3 that a proof is made of. https://github.com/hyperledger/fabric-protos
import { concat, demand, equal, sha256, textOf, toHex } from './bytes.js';
import { message, present } from './protobuf.js';

const CHAINCODE_ID = { 1: ['path', 'bytes'], 2: ['name', 'bytes'], 3: ['version', 'bytes'] };
const ENDORSER_TRANSACTION = 3n;
const OK = 200n;
const INCOMPLETE = new Uint8Array();

export function envelopeOf(bytes) {
  const { payload, signature } = message(bytes, { 1: ['payload', 'bytes'], 2: ['signature', 'bytes'] });
  return { payload: present(payload), signature: present(signature) };
}

export function identityOf(bytes) {
  const { mspId, certificate } = message(bytes, { 1: ['mspId', 'bytes'], 2: ['certificate', 'bytes'] });
  return { mspId: textOf(present(mspId)), certificate: textOf(present(certificate)) };
}

export function processedOf(bytes) {
  const { envelope, code } = message(bytes, { 1: ['envelope', 'message'], 2: ['code', 'number'] });
  return { envelope: present(envelope), code };
}

/** Checks that the bytes are in their one form. */
export function checkOrdererMetadata(bytes) {
  const { lastConfig } = message(bytes, { 1: ['lastConfig', 'message'], 2: ['consenter', 'bytes'] });
  message(lastConfig ?? INCOMPLETE, { 1: ['index', 'number'] });
}

export function checkIdentifierHeader(bytes) {
  message(bytes, { 1: ['identifier', 'number'], 2: ['nonce', 'bytes'] });
}

export function creatorOf(signatureHeader) {
  const { creator, nonce } = message(signatureHeader, { 1: ['creator', 'bytes'], 2: ['nonce', 'bytes'] });
  return { creator: present(creator), nonce: nonce ?? INCOMPLETE };
}

/** An endorsed transaction, whose parts belong together; signatures are not checked here. */
export async function transactionOf(payload) {
  const { header, data } = message(payload, { 1: ['header', 'message'], 2: ['data', 'bytes'] });
  const headers = message(present(header), { 1: ['channel', 'bytes'], 2: ['signature', 'bytes'] });
  const channel = channelOf(present(headers.channel));
  const { creator, nonce } = creatorOf(present(headers.signature));
  const consistent = 'a transaction contradicts itself';
  demand(channel.type === ENDORSER_TRANSACTION, consistent);
  demand(toHex(await sha256(concat(nonce, creator))) === channel.transactionId, consistent);
  const { actions } = message(present(data), { 1: ['actions', 'list'] });
  demand(actions.length === 1, consistent);
  const action = message(actions[0], { 1: ['header', 'bytes'], 2: ['payload', 'bytes'] });
  demand(equal(present(action.header), headers.signature), consistent);
  const inner = message(present(action.payload), { 1: ['proposal', 'bytes'], 2: ['endorsed', 'message'] });
  const endorsed = message(present(inner.endorsed), { 1: ['outcome', 'bytes'], 2: ['endorsements', 'list'] });
  const outcome = message(present(endorsed.outcome), { 1: ['proposalHash', 'bytes'], 2: ['extension', 'bytes'] });
  const proposal = concat(headers.channel, headers.signature, present(inner.proposal));
  demand(equal(present(outcome.proposalHash), await sha256(proposal)), consistent);
  const result = resultOf(present(outcome.extension));
  demand(result.status === OK, consistent);
  return {
    ...channel,
    creator: identityOf(creator),
    ...callOf(inner.proposal),
    outcome: endorsed.outcome,
    endorsements: endorsed.endorsements.map(endorsementOf),
    results: result.results,
    answeredBy: result.answeredBy,
    answer: result.answer,
  };
}

function channelOf(bytes) {
  const { type, time, channel, transactionId } = message(bytes, {
    1: ['type', 'number'],
    2: ['version', 'number'],
    3: ['time', 'message'],
    4: ['channel', 'bytes'],
    5: ['transactionId', 'bytes'],
    6: ['epoch', 'number'],
    7: ['extension', 'bytes'],
    8: ['tlsHash', 'bytes'],
  });
  const { seconds, nanos } = message(present(time), { 1: ['seconds', 'number'], 2: ['nanos', 'number'] });
  return {
    type,
    time: Number(seconds) * 1000 + Number(nanos) / 1_000_000,
    channel: textOf(present(channel)),
    transactionId: textOf(present(transactionId)),
  };
}

function callOf(proposal) {
  const { input } = message(proposal, { 1: ['input', 'bytes'] });
  const { specification } = message(present(input), { 1: ['specification', 'message'] });
  const { id, call } = message(present(specification), {
    1: ['type', 'number'],
    2: ['id', 'message'],
    3: ['call', 'message'],
    4: ['timeout', 'number'],
  });
  const { args } = message(present(call), { 1: ['args', 'list'], 3: ['isInit', 'number'] });
  return { chaincode: nameOf(present(id)), args: args.map(textOf) };
}

function resultOf(bytes) {
  const { results, response, chaincode } = message(bytes, {
    1: ['results', 'bytes'],
    2: ['events', 'bytes'],
    3: ['response', 'message'],
    4: ['chaincode', 'message'],
  });
  const { status, payload } = message(present(response), {
    1: ['status', 'number'],
    2: ['message', 'bytes'],
    3: ['payload', 'bytes'],
  });
  return {
    results: results ?? INCOMPLETE,
    status,
    answer: payload ?? INCOMPLETE,
    answeredBy: chaincode === undefined ? '' : nameOf(chaincode),
  };
}

function nameOf(chaincode) {
  return textOf(message(chaincode, CHAINCODE_ID).name ?? INCOMPLETE);
}

function endorsementOf(bytes) {
  const { endorser, signature } = message(bytes, { 1: ['endorser', 'bytes'], 2: ['signature', 'bytes'] });
  return { endorser: identityOf(present(endorser)), endorserBytes: endorser, signature: present(signature) };
}

/** What a transaction wrote, by namespace. */
export function writesOf(results) {
  const { sets } = message(results, { 1: ['model', 'number'], 2: ['sets', 'list'] });
  return sets.flatMap((set) => {
    const { namespace, content } = message(set, {
      1: ['namespace', 'bytes'],
      2: ['content', 'bytes'],
      3: ['collections', 'list'],
    });
    const { writes } = message(content ?? INCOMPLETE, {
      1: ['reads', 'list'],
      2: ['ranges', 'list'],
      3: ['writes', 'list'],
      4: ['metadata', 'list'],
    });
    return writes.map((write) => {
      const { key, value } = message(write, { 1: ['key', 'bytes'], 2: ['isDelete', 'number'], 3: ['value', 'bytes'] });
      return { namespace: textOf(present(namespace)), key: textOf(present(key)), value: textOf(present(value)) };
    });
  });
}
