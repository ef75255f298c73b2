/**
 * What `docker-compose.yml` runs once, twice: `setup.ts material PROFILE` before any node starts, `setup.ts channel PROFILE`
 * when they run. Each ends at once when it was done before.
 */
import { randomBytes } from 'node:crypto';
import { chownSync, cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dockerAddresses, nodeNames } from '../network/addresses.ts';
import { createChannel } from '../network/channel.ts';
import { layout } from '../network/layout.ts';
import { chaincodePackage, makeMaterial } from '../network/material.ts';
import { chaincodeConnection, type Setting } from '../network/nodes.ts';
import { type Organisation, VARIANTS, type Variant } from '../network/organisations.ts';
import { findPrograms } from '../network/programs.ts';
import { untilReady } from '../network/ready.ts';

/** Compose profiles, and the form of the network that each has. */
const PROFILES: Readonly<Record<string, Variant>> = { demo: 'raft', consortium: 'bft' };

/** The account of every container that reads what is made here. */
const ACCOUNT = 1000;

export interface Places {
  /** Where all of it is kept; nobody else mounts it. */
  readonly root: string;
  /** Where each organisation's volume is mounted, by its name. */
  readonly organisations: string;
}

/** Makes every organisation's keys and files, and puts into each one's volume what is its own and what is for all. */
export async function setUpMaterial(profile: string, { root, organisations }: Places, account?: number): Promise<void> {
  const { variant, setting } = settingOf(profile, root);
  if (existsSync(join(root, 'complete'))) return;
  await makeMaterial(variant, setting);
  const swarmKey = `/key/swarm/psk/1.0.0/\n/base16/\n${randomBytes(32).toString('hex')}\n`;
  for (const organisation of VARIANTS[variant].organisations) {
    const volume = join(organisations, organisation.name);
    distribute(organisation, setting, volume);
    writeFileSync(join(volume, 'swarm.key'), swarmKey, { mode: 0o600 });
    if (account !== undefined) own(volume, account);
  }
  writeFileSync(join(root, 'complete'), '');
}

/** The same paths as below `root`, so that what names another file by a relative path still does. */
function distribute(organisation: Organisation, setting: Setting, volume: string): void {
  const { files } = setting;
  const { name, domain } = organisation;
  const sides = [`crypto/peerOrganizations/${domain}`, `crypto/ordererOrganizations/${domain}`];
  for (const path of [name, ...sides, 'core.yaml', 'orderer.yaml', 'genesis.block', 'roots.json']) {
    cpSync(join(files.root, path), join(volume, path), { recursive: true });
  }
  writeFileSync(join(volume, 'chaincode-id'), setting.packageId);
  // It holds a key: what a peer shows its chaincode.
  const connection = JSON.stringify(chaincodeConnection(organisation, setting));
  writeFileSync(join(volume, 'chaincode-connection.json'), connection, { mode: 0o600 });
  for (const node of nodeNames(VARIANTS.bft)) {
    if (node.startsWith(`${name}.`)) mkdirSync(layout(volume).data(node), { recursive: true });
  }
}

/** Has the nodes, which run by now, make the channel. */
async function setUpChannel(profile: string, { root }: Places): Promise<void> {
  const { variant, setting } = settingOf(profile, root);
  const membership = VARIANTS[variant];
  await createChannel(membership, setting);
  await Promise.all(membership.organisations.map((organisation) => untilReady(organisation, setting)));
}

function settingOf(profile: string, root: string): { variant: Variant; setting: Setting } {
  const variant = PROFILES[profile];
  if (variant === undefined) throw new Error(`COMPOSE_PROFILES is ${profile}: say demo or consortium`);
  const [leader] = VARIANTS[variant].orderers;
  if (leader === undefined) throw new Error('There are no orderers');
  const addresses = dockerAddresses(VARIANTS[variant]);
  const packageId = chaincodePackage().id;
  return { variant, setting: { files: layout(root), programs: findPrograms(), addresses, packageId, leader } };
}

function own(path: string, account: number): void {
  chownSync(path, account, account);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) own(join(path, entry.name), account);
    else chownSync(join(path, entry.name), account, account);
  }
}

if (import.meta.main) {
  const [what, profile = ''] = process.argv.slice(2);
  const places = { root: '/consortium', organisations: '/organisations' };
  if (what === 'material') await setUpMaterial(profile, places, ACCOUNT);
  else if (what === 'channel') await setUpChannel(profile, places);
  else throw new Error('setup.ts material|channel PROFILE');
}
