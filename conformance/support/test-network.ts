import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Network, up } from '../../fabric/network/network.ts';
import type { Organisation, Variant } from '../../fabric/network/organisations.ts';
import { type FabricConfig, readConfig } from '../../src/config.ts';
import { noFaults } from '../../src/faults.ts';
import { silentLogger } from '../../src/logger.ts';
import {
  createFabricLedger,
  type FabricLedger,
  type FabricLedgerOptions,
} from '../../src/trail/ledger/fabric/ledger.ts';
import type { FabricRoots } from '../../src/trail/ledger/fabric/roots.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A real network of a test's own, and ledgers on it. */
export interface TestNetwork {
  readonly network: Network;
  readonly roots: FabricRoots;
  organisation(name: string): Organisation;
  config(organisation: Organisation): FabricConfig;
  open(organisation: Organisation, options?: Partial<FabricLedgerOptions>): FabricLedger;
  /** With a certificate that lacks the role. */
  openReader(organisation: Organisation): FabricLedger;
  close(): Promise<void>;
}

export async function testNetwork(variant: Variant): Promise<TestNetwork> {
  const network = await up(join(await temporaryDirectory(), 'network'), variant);
  const roots: FabricRoots = JSON.parse(readFileSync(network.rootsFile, 'utf8')).ledger;
  const opened: FabricLedger[] = [];
  const config = (organisation: Organisation): FabricConfig => {
    const { fabric } = readConfig({ MEDSEAL_FABRIC: network.clientConfigFile(organisation) });
    if (fabric === undefined) throw new Error('the network wrote no configuration');
    return fabric;
  };
  const open = (organisation: Organisation, options: Partial<FabricLedgerOptions> = {}) => {
    const always = { config: config(organisation), roots, clock: Date.now, faults: noFaults, logger: silentLogger };
    const ledger = createFabricLedger({ ...always, ...options });
    opened.push(ledger);
    return ledger;
  };
  return {
    network,
    roots,
    organisation(name) {
      const found = network.organisations.find((one) => one.name === name);
      if (found === undefined) throw new Error(`There is no ${name}`);
      return found;
    },
    config,
    open,
    openReader: (organisation) => {
      const { certificate, key, ...rest } = config(organisation);
      const of = (path: string) => path.replace(/client-(\w+\.pem)$/, 'reader-$1');
      return open(organisation, { config: { ...rest, certificate: of(certificate), key: of(key) } });
    },
    async close() {
      for (const ledger of opened) ledger.close();
      await network.remove();
    },
  };
}
