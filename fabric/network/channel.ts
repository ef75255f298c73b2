import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { placeOf } from './addresses.ts';
import type { Setting } from './nodes.ts';
import { CHAINCODE, CHANNEL, type Membership, type Organisation } from './organisations.ts';
import { runProgram } from './programs.ts';

/** How long a node that has just been started may take to answer, milliseconds. */
const START_LIMIT = 30_000;

/**
 * Has every orderer and every peer join the channel, and everyone agree on the chaincode. What was done before, by a run
 * that was interrupted, is left as it is.
 */
export async function createChannel({ organisations, orderers }: Membership, setting: Setting): Promise<void> {
  const joined = Promise.all(orderers.map((organisation) => joinOrderer(organisation, setting)));
  await Promise.all(
    organisations.map(async (organisation) => {
      await joinPeer(organisation, setting);
      await joined;
      await install(organisation, setting);
      await approve(organisation, setting);
    }),
  );
  await commit(organisations, setting);
}

/** https://hyperledger-fabric.readthedocs.io/en/latest/commands/osnadminchannel.html */
async function joinOrderer(organisation: Organisation, { files, programs, addresses }: Setting): Promise<void> {
  const { host, extra } = placeOf(addresses, `${organisation.name}.orderer`);
  const admin = files.ordererAdminTls(organisation);
  const connection = ['-o', `${host}:${extra}`, '--ca-file', files.ordererTlsAuthority(organisation)];
  const identity = ['--client-cert', join(admin, 'client.crt'), '--client-key', join(admin, 'client.key')];
  const what = ['channel', 'join', '--channelID', CHANNEL, '--config-block', files.genesis];
  await whenItAnswers(async () => {
    const answer = await runProgram(programs.path.osnadmin, [...what, ...connection, ...identity]);
    if (!/Status: (201|405)/.test(answer)) throw new Error(`${organisation.name}'s orderer did not join: ${answer}`);
  });
}

function joinPeer(organisation: Organisation, setting: Setting): Promise<void> {
  return whenItAnswers(async () => {
    await once(asAdmin(organisation, setting, ['channel', 'join', '-b', setting.files.genesis]));
  });
}

async function install(organisation: Organisation, setting: Setting): Promise<void> {
  await once(asAdmin(organisation, setting, ['lifecycle', 'chaincode', 'install', setting.files.chaincodePackage]));
}

/** What all have to agree on, word by word. */
const DEFINITION = ['--channelID', CHANNEL, '--name', CHAINCODE, '--version', '1', '--sequence', '1'];

async function approve(organisation: Organisation, setting: Setting): Promise<void> {
  const what = ['lifecycle', 'chaincode', 'approveformyorg', ...DEFINITION, '--package-id', setting.packageId];
  await whenItAnswers(() => once(asAdmin(organisation, setting, [...what, ...ordering(setting)])));
}

async function commit(organisations: readonly Organisation[], setting: Setting): Promise<void> {
  const [first] = organisations;
  if (first === undefined) throw new Error('There are no organisations');
  const peers = organisations.flatMap((organisation) => [
    '--peerAddresses',
    endpointOf(setting, `${organisation.name}.peer`),
    '--tlsRootCertFiles',
    setting.files.tlsAuthority(organisation).certificate,
  ]);
  const what = ['lifecycle', 'chaincode', 'commit', ...DEFINITION, ...ordering(setting), ...peers];
  await whenItAnswers(() => once(asAdmin(first, setting, what)));
}

/** Through the first leader: another orderer would wait before it forwards. */
function ordering(setting: Setting): readonly string[] {
  const { files, leader } = setting;
  return ['-o', endpointOf(setting, `${leader.name}.orderer`), '--tls', '--cafile', files.ordererTlsAuthority(leader)];
}

function asAdmin(organisation: Organisation, setting: Setting, args: readonly string[]): Promise<string> {
  const { files, programs } = setting;
  return runProgram(programs.path.peer, args, {
    FABRIC_CFG_PATH: files.root,
    FABRIC_LOGGING_SPEC: 'error',
    CORE_PEER_ADDRESS: endpointOf(setting, `${organisation.name}.peer`),
    CORE_PEER_LOCALMSPID: organisation.mspId,
    CORE_PEER_MSPCONFIGPATH: files.peerAdmin(organisation),
    CORE_PEER_TLS_ROOTCERT_FILE: files.tlsAuthority(organisation).certificate,
  });
}

const DONE =
  /already exists|already successfully installed|unchanged content|redefine the current committed sequence|must be sequence 2/;

/** Lets pass what says that it was done before. */
async function once(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!DONE.test(String(error))) throw error;
  }
}

function endpointOf({ addresses }: Setting, node: string): string {
  const { host, listen } = placeOf(addresses, node);
  return `${host}:${listen}`;
}

/** Nobody listens yet, or the orderers have not found a leader. */
const NOT_YET = /connection refused|context deadline exceeded|SERVICE_UNAVAILABLE/i;

async function whenItAnswers(work: () => Promise<void>): Promise<void> {
  for (const deadline = Date.now() + START_LIMIT; ; await delay(100)) {
    try {
      return await work();
    } catch (error) {
      if (!NOT_YET.test(String(error)) || Date.now() > deadline) throw error;
    }
  }
}
