import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type AddressBook, findAddresses, LOOPBACK, nodeNames, placeOf } from './addresses.ts';
import { createChannel } from './channel.ts';
import { type Layout, layout } from './layout.ts';
import { chaincodePackage, makeMaterial } from './material.ts';
import { nodesOf, type Setting } from './nodes.ts';
import { type Organisation, VARIANTS, type Variant } from './organisations.ts';
import { clientConfigFile } from './outputs.ts';
import { end, pidOf, signal, start } from './processes.ts';
import { findPrograms } from './programs.ts';
import { untilReady } from './ready.ts';

/** A network of plain processes, all on the loopback address. It outlives the process that started it. */
export interface Network {
  readonly variant: Variant;
  readonly organisations: readonly Organisation[];
  /** `hospital-a.peer`, … */
  readonly nodes: readonly string[];
  /** The trust roots of its evidence. */
  readonly rootsFile: string;
  /** The file for MEDSEAL_FABRIC. */
  clientConfigFile(organisation: Organisation): string;
  /** Where a node serves its metrics and its health. */
  operationsUrl(node: string): string;
  pid(node: string): number | undefined;
  signal(node: string, name: NodeJS.Signals): void;
  /** Ends nodes and waits for that. */
  end(nodes: readonly string[], name?: NodeJS.Signals): Promise<void>;
  /** Starts nodes that do not run, on the data that they have. */
  start(nodes: readonly string[]): void;
  /** Waits until every organisation's peer gets endorsements. */
  ready(organisations?: readonly Organisation[]): Promise<void>;
  /** Ends all of it and removes its directory. */
  remove(): Promise<void>;
}

/** What is kept of a network: from it everything else follows. */
interface State {
  readonly variant: Variant;
  readonly addresses: AddressBook;
  readonly packageId: string;
  /** The channel exists. Before that there is nothing to go on with. */
  readonly complete: boolean;
}

/**
 * Makes a network in a directory that does not exist yet, or is empty, or goes on with the one that is there.
 *
 * @throws Error when a program is missing, the directory holds something else, or a network of the other variant
 */
export async function up(directory: string, variant: Variant): Promise<Network> {
  const files = layout(resolve(directory));
  const known = readState(files);
  if (known === undefined && existsSync(files.root) && readdirSync(files.root).length > 0) {
    throw new Error(`${files.root} holds something else`);
  }
  if (known !== undefined && known.variant !== variant)
    throw new Error(`${files.root} holds a ${known.variant} network`);
  if (known !== undefined && !known.complete) await down(directory);
  if (known?.complete) {
    const network = open(directory);
    network.start(network.nodes);
    await network.ready();
    return network;
  }
  try {
    await create(files, variant);
  } catch (error) {
    await down(directory);
    throw error;
  }
  return open(directory);
}

/** The network in a directory, whether it runs or not. @throws Error when there is none */
export function open(directory: string): Network {
  const files = layout(resolve(directory));
  const state = readState(files);
  if (state === undefined) throw new Error(`There is no network in ${files.root}`);
  const membership = VARIANTS[state.variant];
  const setting = settingOf(state, files);
  const processes = nodesOf(membership, setting);
  return {
    variant: state.variant,
    organisations: membership.organisations,
    nodes: processes.map(({ name }) => name),
    rootsFile: files.roots,
    clientConfigFile: (organisation) => clientConfigFile(organisation, files),
    operationsUrl: (node) => `http://${LOOPBACK}:${placeOf(state.addresses, node).operations}`,
    pid: (node) => pidOf(node, files),
    signal: (node, name) => signal(node, files, name),
    end: (nodes, name) => end(nodes, files, name),
    start: (nodes) => {
      for (const node of processes) if (nodes.includes(node.name)) start(node, files);
    },
    ready: async (organisations = membership.organisations) => {
      await Promise.all(organisations.map((organisation) => untilReady(organisation, setting)));
    },
    remove: () => down(directory),
  };
}

/** Ends every process of a network, whoever started it and however that ended, and removes its directory. */
export async function down(directory: string): Promise<void> {
  const files = layout(resolve(directory));
  const state = readState(files);
  if (state === undefined) return;
  await end(nodeNames(VARIANTS[state.variant]), files);
  rmSync(files.root, { recursive: true, force: true });
}

async function create(files: Layout, variant: Variant): Promise<void> {
  const membership = VARIANTS[variant];
  const addresses = await findAddresses(membership);
  mkdirSync(files.root, { recursive: true, mode: 0o700 });
  const packageId = chaincodePackage().id;
  const state = { variant, addresses, packageId, complete: false };
  writeState(files, state);
  const setting = settingOf(state, files);
  await makeMaterial(variant, setting);
  for (const node of nodesOf(membership, setting)) start(node, files);
  await createChannel(membership, setting);
  await Promise.all(membership.organisations.map((organisation) => untilReady(organisation, setting)));
  writeState(files, { ...state, complete: true });
}

function settingOf({ variant, addresses, packageId }: State, files: Layout): Setting {
  const [leader] = VARIANTS[variant].orderers;
  if (leader === undefined) throw new Error('There are no orderers');
  return { files, programs: findPrograms(), addresses, packageId, leader };
}

function readState(files: Layout): State | undefined {
  return existsSync(files.state) ? JSON.parse(readFileSync(files.state, 'utf8')) : undefined;
}

function writeState(files: Layout, state: State): void {
  writeFileSync(files.state, JSON.stringify(state));
}
