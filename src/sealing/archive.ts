import { createSecretKey, hkdfSync, randomBytes } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { MedSealError } from '../errors.ts';
import { openFlattened, parseFlattened, protectedHeader, readHeader, sealFlattened } from './jwe.ts';
import type { MasterKey } from './master-key.ts';

/** Seals the pieces of an archive, each for its place in it: one that is changed, moved or of another archive does not open. */
export interface ArchiveSeal {
  seal(place: string, text: string): string;
  /** @throws MedSealError `sealed-content-damaged` */
  open(place: string, sealed: string): string;
}

/** What one piece may be when it is opened, bytes. */
const LIMIT = 256 * 1024 * 1024;

/** Under a key of this archive's own, which follows from a secret of the key service. */
export function archiveSeal(secret: Uint8Array, archive: string): ArchiveSeal {
  const key = createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', `medseal/archive/1 ${archive}`, 32)));
  const header = protectedHeader({});
  const aad = (place: string) => Buffer.from(`medseal/archive/1 ${archive} ${place}`).toString('base64url');
  return {
    seal: (place, text) => sealFlattened(key, randomBytes(12), header, aad(place), compress(text)),
    open(place, sealed) {
      const jwe = parseFlattened(sealed);
      readHeader(jwe.protected);
      return expand(openFlattened(key, jwe, aad(place)));
    },
  };
}

/** Under the master key, for what the key service itself keeps. */
export function masterSeal(master: MasterKey, archive: string): ArchiveSeal {
  const context = (place: string) => `archive ${archive} ${place}`;
  return {
    seal: (place, text) => master.wrap(compress(text), context(place)).toString('latin1'),
    open: (place, sealed) => expand(master.unwrap(Buffer.from(sealed, 'latin1'), context(place))),
  };
}

function compress(text: string): Buffer {
  return gzipSync(text, { level: 1 });
}

/** Only what was sealed by us comes here; a limit nevertheless. */
function expand(bytes: Buffer): string {
  try {
    return gunzipSync(bytes, { maxOutputLength: LIMIT }).toString('utf8');
  } catch (cause) {
    throw new MedSealError('sealed-content-damaged', 'A piece of an archive cannot be expanded.', { cause });
  }
}
