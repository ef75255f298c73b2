import { createHmac } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { MedSealError } from '../errors.ts';
import { formatRoots, parseRoots, type TrustRoots } from '../trail/evidence/roots.ts';

/**
 * What lies in the data directory beside the stores: how the command finds the server (`server.json`), the trust roots
 * that were pinned at the first start (`roots.json`), and the private keys of this node's own clients (`clients/`).
 */
export interface ServerAddress {
  /** Where it listens. */
  readonly url: string;
  readonly publicUrl: string;
  readonly pid: number;
}

export interface StoredClient {
  readonly clientId: string;
  readonly privateKey: JWK;
  /** What to ask for, separated by spaces. */
  readonly scope: string;
}

export function announceServer(directory: string, address: ServerAddress): void {
  replace(join(directory, 'server.json'), JSON.stringify(address, null, 2), 0o600);
}

export function withdrawServer(directory: string): void {
  rmSync(join(directory, 'server.json'), { force: true });
}

/** @throws MedSealError `storage-unavailable` when no server runs on this data directory */
export function findServer(directory: string): ServerAddress {
  const file = join(directory, 'server.json');
  const address = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as ServerAddress) : undefined;
  if (address !== undefined && runs(address.pid)) return address;
  throw new MedSealError(
    'storage-unavailable',
    `No server runs on ${directory}. Start one, or set MEDSEAL_DATA to its data directory`,
  );
}

/** One that was killed had no time to withdraw its address. */
function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It runs, as somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Writes the roots once; later starts must have the same. Only a node that joins a consortium has others from then on:
 * those of its own ledger stay beside them, as `roots-embedded.json`, for evidence that was given out before.
 *
 * @throws MedSealError `invalid-configuration`
 */
export function pinRoots(directory: string, roots: TrustRoots): void {
  const file = join(directory, 'roots.json');
  const text = formatRoots(roots);
  if (!existsSync(file)) replace(file, text, 0o644);
  const pinned = readFileSync(file, 'utf8');
  if (pinned === text) return;
  if (roots.ledger.ledger === 'fabric' && parseRoots(pinned).ledger.ledger === 'embedded') {
    replace(join(directory, 'roots-embedded.json'), pinned, 0o644);
    replace(file, text, 0o644);
    return;
  }
  throw new MedSealError(
    'invalid-configuration',
    `${file} pins other trust roots than this node now has; nothing was started`,
  );
}

/** @throws MedSealError `evidence-invalid`, or `invalid-configuration` when the file is not there */
export function readRoots(file: string): TrustRoots {
  try {
    return parseRoots(readFileSync(file, 'utf8'));
  } catch (cause) {
    if (cause instanceof MedSealError) throw cause;
    throw new MedSealError('invalid-configuration', `${file} cannot be read; give the trust roots with --roots FILE`, {
      cause,
    });
  }
}

export function storeClient(directory: string, name: string, client: StoredClient): void {
  mkdirSync(join(directory, 'clients'), { recursive: true, mode: 0o700 });
  chmodSync(join(directory, 'clients'), 0o700);
  replace(clientFile(directory, name), `${JSON.stringify(client, null, 2)}\n`, 0o600);
}

export function readClient(directory: string, name: string): StoredClient | undefined {
  const file = clientFile(directory, name);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as StoredClient) : undefined;
}

/**
 * A person's client is named `patient:ID`, and ids of patients lie nowhere in the clear, file names included: theirs is
 * a keyed digest, under the operator's own key, without which no such client is made.
 */
function clientFile(directory: string, name: string): string {
  const isPerson = /^(?:patient|practitioner):/.test(name);
  const file = isPerson ? personName(directory, name) : name.replaceAll(/[^A-Za-z0-9.-]/g, '_');
  return join(directory, 'clients', `${file}.json`);
}

function personName(directory: string, name: string): string {
  const key = readClient(directory, 'operator')?.privateKey.d ?? '';
  return `person-${createHmac('sha256', key).update(name).digest('base64url')}`;
}

/** Never half a file. */
function replace(file: string, text: string, mode: number): void {
  writeFileSync(`${file}.new`, text, { mode });
  renameSync(`${file}.new`, file);
}
