import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { credentials } from '@grpc/grpc-js';
import { common, msp, peer } from '@hyperledger/fabric-protos';
import { canonicalJson } from './rules/canonical.ts';
import { readServiceOptions } from './service-options.ts';

// The copy that fabric-protos itself uses; it has no types.
const fabricProtos = createRequire(import.meta.url).resolve('@hyperledger/fabric-protos');
const { Timestamp } = createRequire(fabricProtos)('google-protobuf/google/protobuf/timestamp_pb.js');
const { Type } = peer.ChaincodeMessage;
const SERVICE = new URL('./service.ts', import.meta.url).pathname;

// A self-signed certificate with the attribute extension of Fabric CA: {"attrs":{"medseal.role":"anchorer"}}.
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIB3DCCAYKgAwIBAgIUbWC7g7NQ0VmEqPV0rhfGDp+WYa4wCgYIKoZIzj0EAwIw
MzELMAkGA1UEBhMCQ04xETAPBgNVBAoMCGhvc3BpdGFsMREwDwYDVQQDDAhhbmNo
b3JlcjAgFw0yNjExMjIxMTU1NDVaGA8yMTI2MTAyOTExNTU0NVowMzELMAkGA1UE
BhMCQ04xETAPBgNVBAoMCGhvc3BpdGFsMREwDwYDVQQDDAhhbmNob3JlcjBZMBMG
ByqGSM49AgEGCCqGSM49AwEHA0IABElO2V1/9S8Xy4+jxgNUiAcH5q879r1KLWA9
VEO7+r1giiyr7tfuzaq1pR5iAj0vbZUpGML+I54ZttrwvxeoKjijcjBwMAwGA1Ud
EwEB/wQCMAAwDgYDVR0PAQH/BAQDAgeAMDEGCCoDBAUGBwgBBCV7ImF0dHJzIjp7
Im1lZHNlYWwucm9sZSI6ImFuY2hvcmVyIn19MB0GA1UdDgQWBBQWF6Z1H9I5RSzK
ejN+oB5ZBJqs6zAKBggqhkjOPQQDAgNIADBFAiEApBSxSGJhA/BF8AbJtDo8cATA
fRIXoyb/6u0BVQK27/ECICZoM3Dr4XTTfdOx9YvAnjovandja40g9CESYdNKA/mz
-----END CERTIFICATE-----
`;

function chaincodeMessage(type: number, payload: Uint8Array): peer.ChaincodeMessage {
  const message = new peer.ChaincodeMessage();
  message.setType(type as peer.ChaincodeMessage.TypeMap[keyof peer.ChaincodeMessage.TypeMap]);
  message.setChannelId('channel');
  message.setTxid('ab'.repeat(32));
  message.setPayload(payload);
  return message;
}

/** A transaction as a peer forwards it, from a client of AMSP with the certificate above. */
function transaction(args: readonly string[]): peer.ChaincodeMessage {
  const creator = new msp.SerializedIdentity();
  creator.setMspid('AMSP');
  creator.setIdBytes(Buffer.from(CERTIFICATE));
  const signatureHeader = new common.SignatureHeader();
  signatureHeader.setCreator(creator.serializeBinary());
  signatureHeader.setNonce(new Uint8Array(24));
  const timestamp = new Timestamp();
  timestamp.fromDate(new Date());
  const channelHeader = new common.ChannelHeader();
  channelHeader.setTimestamp(timestamp);
  const header = new common.Header();
  header.setSignatureHeader(signatureHeader.serializeBinary());
  header.setChannelHeader(channelHeader.serializeBinary());
  const input = new peer.ChaincodeInput();
  input.setArgsList(args.map((arg) => Buffer.from(arg)));
  const payload = new peer.ChaincodeProposalPayload();
  payload.setInput(input.serializeBinary());
  const proposal = new peer.Proposal();
  proposal.setHeader(header.serializeBinary());
  proposal.setPayload(payload.serializeBinary());
  const signed = new peer.SignedProposal();
  signed.setProposalBytes(proposal.serializeBinary());
  const message = chaincodeMessage(Type.TRANSACTION, input.serializeBinary());
  message.setProposal(signed);
  return message;
}

/** Plays the peer over one connection: registers, sends one transaction, answers every state request with nothing. */
async function invoke(address: string, args: readonly string[]) {
  const client = new peer.ChaincodeClient(address, credentials.createInsecure());
  const stream = client.connect();
  const requests: string[] = [];
  const nameOf = (type: number) => Object.entries(Type).find(([, value]) => value === type)?.[0] ?? String(type);
  try {
    for await (const received of stream) {
      const message = received as peer.ChaincodeMessage;
      if (message.getType() === Type.REGISTER) {
        requests.push(`REGISTER ${peer.ChaincodeID.deserializeBinary(message.getPayload_asU8()).getName()}`);
        stream.write(chaincodeMessage(Type.REGISTERED, new Uint8Array()));
        stream.write(chaincodeMessage(Type.READY, new Uint8Array()));
        stream.write(transaction(args));
      } else if (message.getType() === Type.COMPLETED) {
        const response = peer.Response.deserializeBinary(message.getPayload_asU8());
        const payload = Buffer.from(response.getPayload_asU8()).toString();
        const event = message.getChaincodeEvent()?.getEventName();
        return { requests, status: response.getStatus(), message: response.getMessage(), payload, event };
      } else {
        requests.push(nameOf(message.getType()));
        stream.write(chaincodeMessage(Type.RESPONSE, new Uint8Array()));
      }
    }
    throw new Error('the chaincode hung up');
  } finally {
    stream.cancel();
    client.close();
  }
}

describe('chaincode service', () => {
  const directory = mkdtempSync(join(tmpdir(), 'chaincode-'));
  const address = `unix:${join(directory, 'chaincode.sock')}`;
  let service: ChildProcess;
  let healthPort = 0;

  before(async () => {
    const env = {
      ...process.env,
      CHAINCODE_ID: 'medseal:0123',
      CHAINCODE_SERVER_ADDRESS: address,
      CHAINCODE_HEALTH_ADDRESS: '127.0.0.1:0',
    };
    service = spawn(process.execPath, [SERVICE], { env, stdio: ['ignore', 'pipe', 'ignore'] });
    assert.ok(service.stdout);
    for await (const line of createInterface(service.stdout)) {
      if (!line.startsWith('{')) continue;
      const said = JSON.parse(line);
      assert.equal(said.event, 'listening');
      healthPort = said.healthPort;
      break;
    }
    service.stdout.resume();
  });

  after(async () => {
    service.kill('SIGTERM');
    const [code] = await once(service, 'exit');
    rmSync(directory, { recursive: true });
    assert.equal(code, 0);
  });

  it('tells that it is well', async () => {
    const response = await fetch(`http://127.0.0.1:${healthPort}/healthz`);
    assert.deepEqual([response.status, await response.json()], [200, { status: 'OK' }]);
    assert.equal((await fetch(`http://127.0.0.1:${healthPort}/`)).status, 404);
  });

  it('runs a transaction for a peer, with the certificate attribute and key-level endorsement', async () => {
    const argument = canonicalJson({ institution: 'hospital', endorsers: ['BMSP'] });
    const result = await invoke(address, ['anchor:register', argument]);
    assert.deepEqual(result.requests, ['REGISTER medseal:0123', 'GET_STATE', 'PUT_STATE', 'PUT_STATE_METADATA']);
    assert.deepEqual([result.status, result.event], [200, 'institution']);
    const { institution, owner, endorsers } = JSON.parse(result.payload);
    assert.deepEqual([institution, owner, endorsers], ['hospital', 'AMSP', ['BMSP']]);
  });

  it('refuses by code', async () => {
    const unknown = await invoke(address, ['anchor:_writer', 'x']);
    assert.match(unknown.message, /^MEDSEAL\/unknown-transaction: /);
    const missing = await invoke(address, ['anchor:append', '{}']);
    assert.match(missing.message, /^MEDSEAL\/invalid-argument: institution /);
    assert.deepEqual([missing.status, missing.event], [500, undefined]);
  });
});

describe('chaincode service without a usable environment', () => {
  it('says which variable is missing, and ends', async () => {
    const env = { PATH: process.env.PATH, CHAINCODE_SERVER_ADDRESS: 'unix:/nowhere/chaincode.sock' };
    const service = spawn(process.execPath, [SERVICE], { env, stdio: ['ignore', 'pipe', 'ignore'] });
    const output = await service.stdout.setEncoding('utf8').toArray();
    const [code] = service.exitCode === null ? await once(service, 'exit') : [service.exitCode];
    assert.equal(code, 1);
    assert.match(output.join(''), /"error":"CHAINCODE_ID is not set"/);
  });

  it('takes the TLS files together or not at all', () => {
    const env = { CHAINCODE_ID: 'a:b', CHAINCODE_SERVER_ADDRESS: '0.0.0.0:9999' };
    assert.deepEqual(readServiceOptions(env), {
      chaincodeId: 'a:b',
      address: '0.0.0.0:9999',
      health: undefined,
      tls: undefined,
    });
    assert.throws(() => readServiceOptions({ ...env, CHAINCODE_TLS_KEY_FILE: SERVICE }), /go together/);
    const files = {
      CHAINCODE_TLS_KEY_FILE: SERVICE,
      CHAINCODE_TLS_CERT_FILE: SERVICE,
      CHAINCODE_TLS_CLIENT_CA_FILE: SERVICE,
    };
    assert.ok(readServiceOptions({ ...env, ...files }).tls?.clientCACerts.length);
    assert.throws(() => readServiceOptions({ ...env, CHAINCODE_HEALTH_ADDRESS: 'localhost' }), /not host:port/);
  });
});
