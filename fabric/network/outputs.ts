import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { canonicalJson } from '../../src/fhir/json/canonical.ts';
import type { FabricRoots } from '../../src/trail/ledger/fabric/roots.ts';
import { placeOf } from './addresses.ts';
import type { Layout } from './layout.ts';
import type { Setting } from './nodes.ts';
import { CHAINCODE, CHANNEL, type Membership, type Organisation } from './organisations.ts';

/** The file that MEDSEAL_FABRIC names, of one organisation. */
export function clientConfigFile(organisation: Organisation, files: Layout): string {
  return join(files.client(organisation), 'medseal-fabric.json');
}

/** Writes what an institution's server is configured with. */
export function writeClientConfig(organisation: Organisation, { files, addresses }: Setting): void {
  const folder = files.client(organisation);
  const { host, listen } = placeOf(addresses, `${organisation.name}.peer`);
  const config = {
    mspId: organisation.mspId,
    certificate: 'client-certificate.pem',
    key: 'client-key.pem',
    peers: [
      {
        endpoint: `${host}:${listen}`,
        tlsRoot: relative(folder, files.tlsAuthority(organisation).certificate),
        hostAlias: `peer.${organisation.domain}`,
      },
    ],
    channel: CHANNEL,
    chaincode: CHAINCODE,
    roots: relative(folder, files.roots),
  };
  writeFileSync(clientConfigFile(organisation, files), `${JSON.stringify(config, undefined, 2)}\n`);
}

/** Writes what a verifier pins: whoever checks evidence gets this file, by a way that they trust. */
export function writeRoots({ organisations, orderers, quorum }: Membership, files: Layout): void {
  const pem = (path: string) => readFileSync(path, 'utf8');
  const ledger: FabricRoots = {
    ledger: 'fabric',
    channel: CHANNEL,
    chaincode: CHAINCODE,
    organisations: organisations.map((organisation) => ({
      mspId: organisation.mspId,
      authorities: [pem(files.authority(organisation).certificate)],
    })),
    orderers: orderers.map((organisation) => ({
      mspId: organisation.ordererMspId,
      authorities: [pem(files.ordererAuthority(organisation))],
    })),
    quorum,
  };
  writeFileSync(files.roots, `${canonicalJson({ format: 'medseal/roots/1', ledger })}\n`);
}
