import { createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { invariant, MedSealError } from '../errors.ts';
import type { Faults } from '../faults.ts';
import type { Database } from '../storage/database/port.ts';
import {
  insertKeks,
  insertSecret,
  type StoredKek,
  selectKek,
  selectNewestKeks,
  selectSecret,
} from '../storage/keys/statements.ts';
import { protectedHeader } from './jwe.ts';
import type { MasterKey } from './master-key.ts';

/** What versions are sealed under: the KEKs of all their subjects, as one key and the name that finds it again. */
export interface WrappingKey {
  /** `subject.generation`, comma-separated, subjects in order. */
  readonly kid: string;
  readonly key: KeyObject;
  /** Protected header of JWEs under this key. */
  readonly header: string;
}

export interface KeyService {
  /**
   * The wrapping key of these subjects' newest generations. A subject without a KEK gets one, durable before this
   * resolves, so that nothing is ever sealed under a key that could be lost.
   */
  wrappingKey(subjects: readonly string[]): Promise<WrappingKey>;
  /** The wrapping key that `kid` names. @throws `sealed-content-damaged` when a KEK is gone: erased, or never there */
  openingKey(kid: string): Promise<KeyObject>;
  /** A secret of this node by name, made by `make` the first time. */
  secret(name: string, make?: () => Buffer | Promise<Buffer>): Promise<Buffer>;
}

export interface KeyServiceOptions {
  readonly database: Database;
  readonly master: MasterKey;
  readonly faults: Faults;
  /** How many unwrapped keys to hold in memory. */
  readonly cacheSize?: number;
}

const KEK_BYTES = 32;

interface Kek {
  readonly subject: string;
  readonly generation: number;
  readonly bytes: Buffer;
}

export function createKeyService({ database, master, faults, cacheSize = 20_000 }: KeyServiceOptions): KeyService {
  const newest = new LRUCache<string, Kek>({ max: cacheSize });
  const opened = new LRUCache<string, WrappingKey>({ max: cacheSize });
  const loading = new Map<string, Promise<KeyObject>>();
  const ensuring = new Map<string, Promise<void>>();

  const unwrap = (stored: StoredKek): Kek => ({
    subject: stored.subject,
    generation: stored.generation,
    bytes: master.unwrap(stored.wrapped, kekContext(stored.subject, stored.generation)),
  });

  async function load(subjects: readonly string[]): Promise<void> {
    for (const stored of await selectNewestKeks(database, subjects)) newest.set(stored.subject, unwrap(stored));
  }

  async function ensure(subjects: readonly string[]): Promise<void> {
    await load(subjects);
    const missing = subjects.filter((subject) => !newest.has(subject));
    if (missing.length > 0) await create(missing);
  }

  /** A Bundle's entries ask for the same KEKs at the same time: whoever is first asks the database for all. */
  async function newestKeks(subjects: readonly string[]): Promise<readonly Kek[]> {
    const unknown = subjects.filter((subject) => !newest.has(subject));
    const mine = unknown.filter((subject) => !ensuring.has(subject));
    if (mine.length > 0) {
      const ensured = ensure(mine).finally(() => {
        for (const subject of mine) ensuring.delete(subject);
      });
      for (const subject of mine) ensuring.set(subject, ensured);
    }
    await Promise.all(unknown.map((subject) => ensuring.get(subject)));
    return subjects.map((subject) => {
      const kek = newest.get(subject);
      invariant(kek !== undefined, 'a KEK that was just made is not there');
      return kek;
    });
  }

  async function create(subjects: readonly string[]): Promise<void> {
    const made = subjects.map((subject) => ({ subject, generation: 1, bytes: randomBytes(KEK_BYTES) }));
    await faults.at('kek-before-durable');
    const inserted = await insertKeks(database, made.map(wrap));
    await faults.at('kek-after-durable');
    for (const kek of made) if (inserted.has(kek.subject)) newest.set(kek.subject, kek);
    // Another writer was first with these, and its key stands.
    const others = subjects.filter((subject) => !inserted.has(subject));
    if (others.length > 0) await load(others);
  }

  const wrap = ({ subject, generation, bytes }: Kek): StoredKek => ({
    subject,
    generation,
    wrapped: master.wrap(bytes, kekContext(subject, generation)),
  });

  function combined(kid: string, keks: readonly Kek[]): WrappingKey {
    const known = opened.get(kid);
    if (known !== undefined) return known;
    const wrapping = { kid, key: combine(kid, keks), header: protectedHeader({ kid }) };
    opened.set(kid, wrapping);
    return wrapping;
  }

  async function loadOpeningKey(kid: string): Promise<KeyObject> {
    const keks = await Promise.all(
      kid.split(',').map(async (name) => {
        const [subject = '', generation = ''] = name.split('.');
        const stored = UUID.test(subject) ? await selectKek(database, subject, Number(generation)) : undefined;
        if (stored === undefined) {
          throw new MedSealError('sealed-content-damaged', 'The key that a record is sealed under no longer exists');
        }
        return unwrap(stored);
      }),
    );
    return combined(kid, keks).key;
  }

  return {
    async wrappingKey(subjects) {
      const keks = await newestKeks([...new Set(subjects)].sort());
      const kid = keks.map((kek) => `${kek.subject}.${kek.generation}`).join(',');
      return combined(kid, keks);
    },
    openingKey(kid) {
      const known = opened.get(kid);
      if (known !== undefined) return Promise.resolve(known.key);
      const pending = loading.get(kid) ?? loadOpeningKey(kid).finally(() => loading.delete(kid));
      loading.set(kid, pending);
      return pending;
    },
    async secret(name, make = () => randomBytes(32)) {
      const context = `secret ${name}`;
      const stored = await selectSecret(database, name);
      if (stored !== undefined) return master.unwrap(stored, context);
      await insertSecret(database, name, master.wrap(await make(), context));
      const settled = await selectSecret(database, name);
      invariant(settled !== undefined, 'a secret that was just made is not there');
      return master.unwrap(settled, context);
    },
  };
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function kekContext(subject: string, generation: number): string {
  return `kek ${subject} ${generation}`;
}

/** One subject: its KEK. Several: HKDF (RFC 5869) over all of them, so that erasing any one shreds what they share. */
function combine(kid: string, keks: readonly Kek[]): KeyObject {
  const [only, ...others] = keks;
  invariant(only !== undefined, 'a record is sealed under at least one KEK');
  if (others.length === 0) return createSecretKey(only.bytes);
  const material = Buffer.concat(keks.map((kek) => kek.bytes));
  return createSecretKey(Buffer.from(hkdfSync('sha256', material, '', `medseal/shared-kek/1 ${kid}`, KEK_BYTES)));
}
