import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AddressBook, LOOPBACK, placeOf } from './addresses.ts';
import type { Layout } from './layout.ts';
import type { Membership, Organisation } from './organisations.ts';
import type { NodeProcess } from './processes.ts';
import type { Programs } from './programs.ts';

/** What all nodes of a network have in common. */
export interface Setting {
  readonly files: Layout;
  readonly programs: Programs;
  readonly addresses: AddressBook;
  /** Fabric's name of the installed chaincode, `label:hash`. */
  readonly packageId: string;
  /** Whose orderer leads at first. */
  readonly leader: Organisation;
}

const SERVICE = join(import.meta.dirname, '../../chaincode/src/service.ts');

/** Every process of the network. What a node shares with its like is in `config/`; this is what is its own. */
export function nodesOf({ organisations, orderers }: Membership, setting: Setting): readonly NodeProcess[] {
  return [
    ...orderers.map((organisation) => ordererNode(organisation, setting)),
    ...organisations.flatMap((organisation) => [peerNode(organisation, setting), chaincodeNode(organisation, setting)]),
  ];
}

function ordererNode(organisation: Organisation, { files, programs, addresses }: Setting): NodeProcess {
  const name = `${organisation.name}.orderer`;
  const { listen, operations, extra } = placeOf(addresses, name);
  const tls = join(files.orderer(organisation), 'tls');
  const serverTls = (prefix: string) => ({
    [`${prefix}_PRIVATEKEY`]: join(tls, 'server.key'),
    [`${prefix}_CERTIFICATE`]: join(tls, 'server.crt'),
    [`${prefix}_ROOTCAS`]: `[${join(tls, 'ca.crt')}]`,
  });
  const data = files.data(name);
  const environment = {
    FABRIC_CFG_PATH: files.root,
    FABRIC_LOGGING_SPEC: 'info',
    ORDERER_GENERAL_LISTENADDRESS: LOOPBACK,
    ORDERER_GENERAL_LISTENPORT: String(listen),
    ORDERER_GENERAL_LOCALMSPID: organisation.ordererMspId,
    ORDERER_GENERAL_LOCALMSPDIR: join(files.orderer(organisation), 'msp'),
    ...serverTls('ORDERER_GENERAL_TLS'),
    ORDERER_GENERAL_CLUSTER_CLIENTCERTIFICATE: join(tls, 'server.crt'),
    ORDERER_GENERAL_CLUSTER_CLIENTPRIVATEKEY: join(tls, 'server.key'),
    ORDERER_ADMIN_LISTENADDRESS: `${LOOPBACK}:${extra}`,
    ...serverTls('ORDERER_ADMIN_TLS'),
    ORDERER_ADMIN_TLS_CLIENTROOTCAS: `[${files.ordererTlsAuthority(organisation)}]`,
    ORDERER_OPERATIONS_LISTENADDRESS: `${LOOPBACK}:${operations}`,
    ORDERER_FILELEDGER_LOCATION: join(data, 'ledger'),
    ORDERER_CONSENSUS_WALDIR: join(data, 'wal'),
    ORDERER_CONSENSUS_SNAPDIR: join(data, 'snapshots'),
  };
  return { name, command: programs.path.orderer, args: [], environment };
}

function peerNode(organisation: Organisation, setting: Setting): NodeProcess {
  const { files, programs, addresses } = setting;
  const name = `${organisation.name}.peer`;
  const { host, listen, operations, extra } = placeOf(addresses, name);
  const own = `${host}:${listen}`;
  const builder = { name: 'ccaas_builder', path: programs.builder, propagateEnvironment: [BUILDER_VARIABLE] };
  const environment = {
    FABRIC_CFG_PATH: files.root,
    FABRIC_LOGGING_SPEC: 'info',
    CORE_PEER_ID: `peer.${organisation.domain}`,
    CORE_PEER_ADDRESS: own,
    CORE_PEER_LISTENADDRESS: own,
    CORE_PEER_CHAINCODELISTENADDRESS: `${LOOPBACK}:${extra}`,
    CORE_PEER_GOSSIP_BOOTSTRAP: own,
    CORE_PEER_GOSSIP_ENDPOINT: own,
    CORE_PEER_GOSSIP_EXTERNALENDPOINT: own,
    CORE_PEER_LOCALMSPID: organisation.mspId,
    CORE_PEER_MSPCONFIGPATH: join(files.peer(organisation), 'msp'),
    CORE_PEER_TLS_CERT_FILE: join(files.peer(organisation), 'tls/server.crt'),
    CORE_PEER_TLS_KEY_FILE: join(files.peer(organisation), 'tls/server.key'),
    CORE_PEER_TLS_ROOTCERT_FILE: join(files.peer(organisation), 'tls/ca.crt'),
    CORE_PEER_FILESYSTEMPATH: files.data(name),
    CORE_LEDGER_SNAPSHOTS_ROOTDIR: join(files.data(name), 'snapshots'),
    CORE_OPERATIONS_LISTENADDRESS: `${LOOPBACK}:${operations}`,
    CORE_CHAINCODE_EXTERNALBUILDERS: JSON.stringify([builder]),
    [BUILDER_VARIABLE]: JSON.stringify(chaincodeConnection(organisation, setting)),
  };
  return { name, command: programs.path.peer, args: ['node', 'start'], environment };
}

const BUILDER_VARIABLE = 'CHAINCODE_AS_A_SERVICE_BUILDER_CONFIG';

/** What fills the package's connection.json: one package serves all organisations, each with a service of its own. */
export function chaincodeConnection(organisation: Organisation, { files, addresses }: Setting): object {
  const { host, listen } = placeOf(addresses, `${organisation.name}.chaincode`);
  const tls = join(files.peer(organisation), 'tls');
  return {
    address: `${host}:${listen}`,
    root_cert: readFileSync(files.tlsAuthority(organisation).certificate, 'utf8'),
    client_cert: readFileSync(join(tls, 'server.crt'), 'utf8'),
    client_key: readFileSync(join(tls, 'server.key'), 'utf8'),
  };
}

function chaincodeNode(organisation: Organisation, { files, addresses, packageId }: Setting): NodeProcess {
  const name = `${organisation.name}.chaincode`;
  const { listen, operations } = placeOf(addresses, name);
  const folder = files.client(organisation);
  const environment = {
    CHAINCODE_ID: packageId,
    CHAINCODE_SERVER_ADDRESS: `${LOOPBACK}:${listen}`,
    CHAINCODE_HEALTH_ADDRESS: `${LOOPBACK}:${operations}`,
    CHAINCODE_TLS_KEY_FILE: join(folder, 'chaincode-key.pem'),
    CHAINCODE_TLS_CERT_FILE: join(folder, 'chaincode-certificate.pem'),
    CHAINCODE_TLS_CLIENT_CA_FILE: files.tlsAuthority(organisation).certificate,
  };
  return { name, command: process.execPath, args: [SERVICE], environment };
}
