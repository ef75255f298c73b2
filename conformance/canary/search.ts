import { hash } from 'node:crypto';
import { type Dirent, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Bytes to look for, and what they are. */
export interface Needle {
  readonly what: string;
  readonly bytes: Buffer;
}

/** A text in the forms in which it might lie somewhere: as it is, encoded, in wide characters. */
export function textNeedles(text: string): readonly Needle[] {
  const forms: [string, Buffer][] = [
    ['plain', Buffer.from(text)],
    ['in capitals', Buffer.from(text.toUpperCase())],
    ['hexadecimal', Buffer.from(Buffer.from(text).toString('hex'))],
    ['HEXADECIMAL', Buffer.from(Buffer.from(text).toString('hex').toUpperCase())],
    ['UTF-16 little-endian', Buffer.from(text, 'utf16le')],
    ['UTF-16 big-endian', Buffer.from(text, 'utf16le').swap16()],
    ['backwards', Buffer.from([...text].reverse().join(''))],
  ];
  // Three bytes are four characters: by where in such a group it begins, there are three forms of what is inside.
  for (let offset = 0; offset < 3; offset++) {
    const encoded = Buffer.concat([Buffer.alloc(offset), Buffer.from(text)])
      .toString('base64')
      .replace(/=+$/, '');
    forms.push([`base64 at ${offset}`, Buffer.from(encoded.slice(Math.ceil((offset * 4) / 3), -1))]);
  }
  return forms.map(([form, bytes]) => ({ what: `${text} ${form}`, bytes }));
}

const DIGESTS = ['md5', 'sha1', 'sha256', 'sha512'] as const;

/** The beginnings of a value's digests without a key: as bytes, as bytes of a 64-bit integer, as text. */
export function digestNeedles(value: string | Buffer, what: string): readonly Needle[] {
  return DIGESTS.flatMap((algorithm) => {
    const digest = hash(algorithm, value, 'buffer').subarray(0, 8);
    const forms = { bytes: digest, integer: Buffer.from(digest).reverse(), text: Buffer.from(digest.toString('hex')) };
    return Object.entries(forms).map(([form, bytes]) => ({ what: `${algorithm} of ${what} as ${form}`, bytes }));
  });
}

/** `where: what` of each needle in the bytes. */
export function findIn(bytes: Buffer, where: string, needles: readonly Needle[]): readonly string[] {
  return needles.filter((needle) => bytes.includes(needle.bytes)).map(({ what }) => `${where}: ${what}`);
}

export interface Haystack {
  readonly found: readonly string[];
  readonly files: number;
  readonly bytes: number;
}

/** Looks into every file below a directory, and at its name. */
export function findBelow(directory: string, needles: readonly Needle[]): Haystack {
  const found: string[] = [];
  let files = 0;
  let bytes = 0;
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    found.push(...findIn(Buffer.from(path), `the name ${path}`, needles));
    if (!entry.isFile()) continue;
    const content = readWhole(path, entry);
    if (content === undefined) continue;
    files += 1;
    bytes += content.length;
    found.push(...findIn(content, path, needles));
  }
  return { found, files, bytes };
}

/** A running database renames and removes files of its own. */
function readWhole(path: string, entry: Dirent): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`${entry.name} cannot be read`, { cause: error });
  }
}
