import { createHash, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { MedSealError } from '../errors.ts';
import { openFlattened, parseFlattened, protectedHeader, readHeader, sealFlattened } from './jwe.ts';

/**
 * The root of the key hierarchy. It wraps KEKs and node secrets and nothing else, and lies in a file that only its owner
 * may read: one base64url key per line, the first for wrapping, the others for what an earlier master wrapped.
 */
export interface MasterKey {
  /** Wraps `secret` so that it opens only in the same `context`. */
  wrap(secret: Uint8Array, context: string): Buffer;
  /** @throws `sealed-content-damaged` when wrapped for another context or by an unknown master */
  unwrap(wrapped: Uint8Array, context: string): Buffer;
}

const KEY_BYTES = 32;

/** Reads the master key file, or makes one where there is none. @throws `invalid-configuration` */
export function loadMasterKey(file: string): MasterKey {
  try {
    return createMasterKey(readKeys(file));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  writeFirstKey(file);
  return createMasterKey(readKeys(file));
}

export function createMasterKey(keys: readonly Buffer[]): MasterKey {
  const known = new Map(keys.map((key) => [fingerprint(key), createSecretKey(key)]));
  const [currentId, current] = known.entries().next().value ?? [];
  if (currentId === undefined || current === undefined) {
    throw new MedSealError('invalid-configuration', 'The master key file holds no key');
  }
  const header = protectedHeader({ kid: currentId });
  return {
    wrap: (secret, context) =>
      Buffer.from(sealFlattened(current, randomBytes(12), header, contextAad(context), secret), 'latin1'),
    unwrap(wrapped, context) {
      const jwe = parseFlattened(Buffer.from(wrapped).toString('latin1'));
      const key: KeyObject | undefined = known.get(String(readHeader(jwe.protected).kid));
      if (key === undefined) {
        throw new MedSealError('sealed-content-damaged', 'A key was wrapped by a master key that is not in the file');
      }
      return openFlattened(key, jwe, contextAad(context));
    },
  };
}

/** A secret of the node itself, as the key service keeps it under its name. */
export function wrapSecret(master: MasterKey, name: string, secret: Uint8Array): Buffer {
  return master.wrap(secret, `secret ${name}`);
}

/** @throws `sealed-content-damaged` as {@link MasterKey} */
export function unwrapSecret(master: MasterKey, name: string, wrapped: Uint8Array): Buffer {
  return master.unwrap(wrapped, `secret ${name}`);
}

function contextAad(context: string): string {
  return Buffer.from(`medseal/wrapped-key/1 ${context}`).toString('base64url');
}

function fingerprint(key: Buffer): string {
  return createHash('sha256').update('medseal/master-key/1').update(key).digest('base64url').slice(0, 16);
}

function readKeys(file: string): readonly Buffer[] {
  const mode = statSync(file).mode;
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new MedSealError('invalid-configuration', `${file} may be read by others than its owner; chmod 600 it`);
  }
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const key = Buffer.from(line, 'base64url');
      if (key.length === KEY_BYTES) return key;
      throw new MedSealError('invalid-configuration', `${file} holds a line that is not a 256-bit base64url key`);
    });
}

function writeFirstKey(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // Exclusive: of two first boots at once one makes the key and the other reads it.
  let descriptor: number;
  try {
    descriptor = openSync(file, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw error;
  }
  try {
    writeSync(descriptor, `${randomBytes(KEY_BYTES).toString('base64url')}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  chmodSync(file, 0o600);
  const directory = openSync(dirname(file), 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
