import { join } from 'node:path';
import type { Organisation } from './organisations.ts';

/** Where the files of a network are: below `root`, as cryptogen lays them out, and what we add. */
export function layout(root: string) {
  const peerSide = ({ domain }: Organisation) => join(root, 'crypto/peerOrganizations', domain);
  const ordererSide = ({ domain }: Organisation) => join(root, 'crypto/ordererOrganizations', domain);
  return {
    root,
    state: join(root, 'network.json'),
    genesis: join(root, 'genesis.block'),
    crypto: join(root, 'crypto'),
    chaincodePackage: join(root, 'medseal.tar.gz'),
    roots: join(root, 'roots.json'),
    log: (node: string) => join(root, 'logs', `${node}.log`),
    pid: (node: string) => join(root, 'run', `${node}.pid`),
    data: (node: string) => join(root, 'data', node),

    /** What an institution's server is given: configuration, certificate, key. */
    client: (organisation: Organisation) => join(root, organisation.name),
    peer: (organisation: Organisation) => join(peerSide(organisation), `peers/peer.${organisation.domain}`),
    peerAdmin: (organisation: Organisation) => join(peerSide(organisation), `users/Admin@${organisation.domain}/msp`),
    authority: (organisation: Organisation) => ({
      certificate: join(peerSide(organisation), `ca/ca.${organisation.domain}-cert.pem`),
      key: join(peerSide(organisation), 'ca/priv_sk'),
    }),
    tlsAuthority: (organisation: Organisation) => ({
      certificate: join(peerSide(organisation), `tlsca/tlsca.${organisation.domain}-cert.pem`),
      key: join(peerSide(organisation), 'tlsca/priv_sk'),
    }),

    orderer: (organisation: Organisation) => join(ordererSide(organisation), `orderers/orderer.${organisation.domain}`),
    ordererAdminTls: (organisation: Organisation) =>
      join(ordererSide(organisation), `users/Admin@${organisation.domain}/tls`),
    ordererAuthority: (organisation: Organisation) =>
      join(ordererSide(organisation), `ca/orderer-ca.${organisation.domain}-cert.pem`),
    ordererTlsAuthority: (organisation: Organisation) =>
      join(ordererSide(organisation), `tlsca/tlsorderer-ca.${organisation.domain}-cert.pem`),
  };
}

export type Layout = ReturnType<typeof layout>;
