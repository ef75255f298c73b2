import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, credentials } from '@grpc/grpc-js';
import { connect, signers } from '@hyperledger/fabric-gateway';
import { placeOf } from './addresses.ts';
import type { Setting } from './nodes.ts';
import { CHAINCODE, CHANNEL, type Organisation } from './organisations.ts';
import { readCredential } from './x509.ts';

const LIMIT = 60_000;

/**
 * Waits until a majority endorses through the organisation's peer: the only sign that its chaincode runs, and that its
 * peer knows the others. That a transaction was committed is none.
 *
 * @throws Error with the last refusal when it takes too long
 */
export async function untilReady(organisation: Organisation, { files, addresses }: Setting): Promise<void> {
  const { host, listen } = placeOf(addresses, `${organisation.name}.peer`);
  const tls = credentials.createSsl(readFileSync(files.tlsAuthority(organisation).certificate));
  const client = new Client(`${host}:${listen}`, tls, {
    'grpc.ssl_target_name_override': `peer.${organisation.domain}`,
  });
  const folder = files.client(organisation);
  const { certificate, key } = readCredential(
    readFileSync(join(folder, 'reader-certificate.pem')),
    readFileSync(join(folder, 'reader-key.pem')),
  );
  const identity = { mspId: organisation.mspId, credentials: Buffer.from(certificate.toString()) };
  const gateway = connect({ client, identity, signer: signers.newPrivateKeySigner(key) });
  const contract = gateway.getNetwork(CHANNEL).getContract(CHAINCODE, 'anchor');
  try {
    for (const deadline = Date.now() + LIMIT; ; await delay(100)) {
      try {
        const proposal = contract.newProposal('readInstitution', { arguments: ['none'] });
        await proposal.endorse({ deadline: Date.now() + 5000 });
        return;
      } catch (error) {
        if (Date.now() > deadline) throw error;
      }
    }
  } finally {
    gateway.close();
    client.close();
  }
}
