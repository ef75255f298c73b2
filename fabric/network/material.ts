import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withAddresses } from './addresses.ts';
import { type ChaincodePackage, packChaincode } from './chaincode-package.ts';
import { issueCredentials } from './credentials.ts';
import type { Setting } from './nodes.ts';
import { CHANNEL, VARIANTS, type Variant } from './organisations.ts';
import { writeClientConfig, writeRoots } from './outputs.ts';
import { runProgram } from './programs.ts';

const CONFIG = join(import.meta.dirname, '../config');

/** The same for every organisation. */
export function chaincodePackage(): ChaincodePackage {
  return packChaincode(readFileSync(join(CONFIG, 'connection.json'), 'utf8'));
}

/**
 * Everything that a network's nodes are started with: keys and certificates of every organisation, the channel's first
 * block, the chaincode's package, what peers and orderers have in common, and what each institution's server is given.
 */
export async function makeMaterial(variant: Variant, setting: Setting): Promise<void> {
  const { files, programs, addresses } = setting;
  const membership = VARIANTS[variant];
  mkdirSync(files.root, { recursive: true, mode: 0o700 });
  for (const name of ['core.yaml', 'orderer.yaml']) copyFileSync(join(CONFIG, name), join(files.root, name));
  const configtx = readFileSync(join(CONFIG, 'configtx.yaml'), 'utf8');
  writeFileSync(join(files.root, 'configtx.yaml'), withAddresses(configtx, addresses));
  writeFileSync(files.chaincodePackage, chaincodePackage().bytes);

  const crypto = join(CONFIG, 'crypto-config.yaml');
  await runProgram(programs.path.cryptogen, ['generate', '--config', crypto, '--output', files.crypto]);
  const profile = ['-profile', variant, '-channelID', CHANNEL, '-outputBlock', files.genesis];
  await runProgram(programs.path.configtxgen, profile, { FABRIC_CFG_PATH: files.root });
  for (const organisation of membership.organisations) issueCredentials(organisation, files);
  for (const organisation of membership.organisations) writeClientConfig(organisation, setting);
  writeRoots(membership, files);
}
