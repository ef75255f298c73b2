import { createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { invariant, MedSealError } from '../errors.ts';
import type { Faults } from '../faults.ts';
import type { Database } from '../storage/database/port.ts';
import {
  insertKeks,
  insertSecret,
  type KekName,
  type NewKek,
  type StoredKek,
  selectKeks,
  selectNewestKeks,
  selectSecret,
} from '../storage/keys/statements.ts';
import { gather } from './gather.ts';
import { protectedHeader } from './jwe.ts';
import { type MasterKey, unwrapSecret, wrapSecret } from './master-key.ts';

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
  /** Whether every KEK that `kid` names is still there. */
  exists(kid: string): Promise<boolean>;
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
/**
 * How long a server seals under a KEK without asking again whether it is still in use, milliseconds: much less than the
 * hour that a sweep waits before it destroys one that was taken out of use.
 */
const IN_USE_FOR = 10 * 60_000;

interface Kek {
  readonly subject: string;
  readonly generation: number;
  readonly bytes: Buffer;
}

export function createKeyService({ database, master, faults, cacheSize = 20_000 }: KeyServiceOptions): KeyService {
  const newest = new LRUCache<string, Kek>({ max: cacheSize, ttl: IN_USE_FOR });
  const opened = new LRUCache<string, WrappingKey>({ max: cacheSize });
  const loading = new Map<string, Promise<KeyObject>>();
  const ensuring = new Map<string, Promise<void>>();

  const unwrap = (stored: StoredKek): Kek => ({
    subject: stored.subject,
    generation: stored.generation,
    bytes: master.unwrap(stored.wrapped, kekContext(stored)),
  });

  /** @returns the KEKs in use of those subjects that have one */
  async function load(subjects: readonly string[]): Promise<readonly StoredKek[]> {
    const stored = await selectNewestKeks(database, subjects);
    for (const kek of stored) if (!kek.retired) newest.set(kek.subject, unwrap(kek));
    return stored;
  }

  async function ensure(subjects: readonly string[]): Promise<void> {
    const stored = await load(subjects);
    const known = new Map(stored.map((kek) => [kek.subject, kek]));
    const missing = subjects.filter((subject) => known.get(subject)?.retired !== false);
    if (missing.length === 0) return;
    await create(missing.map((subject) => ({ subject, generation: (known.get(subject)?.generation ?? 0) + 1 })));
  }

  /** A Bundle's entries ask for the same KEKs at the same time: whoever is first asks the database for all. */
  async function newestKeks(subjects: readonly string[]): Promise<readonly Kek[]> {
    const held = subjects.map((subject) => newest.get(subject));
    const unknown = subjects.filter((_, index) => held[index] === undefined);
    const mine = unknown.filter((subject) => !ensuring.has(subject));
    if (mine.length > 0) {
      const ensured = ensure(mine).finally(() => {
        for (const subject of mine) ensuring.delete(subject);
      });
      for (const subject of mine) ensuring.set(subject, ensured);
    }
    await Promise.all(unknown.map((subject) => ensuring.get(subject)));
    return subjects.map((subject, index) => {
      const kek = held[index] ?? newest.get(subject);
      invariant(kek !== undefined, 'a KEK that was just made is not there');
      return kek;
    });
  }

  async function create(names: readonly Omit<Kek, 'bytes'>[]): Promise<void> {
    const made = names.map((name) => ({ ...name, bytes: randomBytes(KEK_BYTES) }));
    await faults.at('kek-before-durable');
    const inserted = await insertKeks(database, made.map(wrap));
    await faults.at('kek-after-durable');
    for (const kek of made) if (inserted.has(kek.subject)) newest.set(kek.subject, kek);
    // Another writer was first with these, and its key stands.
    const others = names.filter(({ subject }) => !inserted.has(subject));
    if (others.length > 0) await load(others.map(({ subject }) => subject));
  }

  const wrap = ({ subject, generation, bytes }: Kek): NewKek => ({
    subject,
    generation,
    wrapped: master.wrap(bytes, kekContext({ subject, generation })),
  });

  function combined(kid: string, keks: readonly Kek[]): WrappingKey {
    const known = opened.get(kid);
    if (known !== undefined) return known;
    const wrapping = { kid, key: combine(kid, keks), header: protectedHeader({ kid }) };
    opened.set(kid, wrapping);
    return wrapping;
  }

  /** A page of records is of many patients, whose keys are asked for at the same time. */
  const storedKek = gather<KekName, StoredKek | undefined>(async (names) => {
    const stored = new Map((await selectKeks(database, names)).map((kek) => [kekContext(kek), kek]));
    return (name) => stored.get(kekContext(name));
  });

  function storedKeks(kid: string): Promise<readonly (StoredKek | undefined)[]> {
    return Promise.all(
      kid.split(',').map(async (name) => {
        const [, subject, generation] = KEK_NAME.exec(name) ?? [];
        return subject === undefined ? undefined : storedKek({ subject, generation: Number(generation) });
      }),
    );
  }

  async function loadOpeningKey(kid: string): Promise<KeyObject> {
    const keks = (await storedKeks(kid)).map((stored) => {
      if (stored !== undefined) return unwrap(stored);
      throw new MedSealError('sealed-content-damaged', 'The key that a record is sealed under no longer exists');
    });
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
    exists: async (kid) => (await storedKeks(kid)).every((stored) => stored !== undefined),
    async secret(name, make = () => randomBytes(32)) {
      const stored = await selectSecret(database, name);
      if (stored !== undefined) return unwrapSecret(master, name, stored);
      await insertSecret(database, name, wrapSecret(master, name, await make()));
      const settled = await selectSecret(database, name);
      invariant(settled !== undefined, 'a secret that was just made is not there');
      return unwrapSecret(master, name, settled);
    },
  };
}

/** A subject and a generation, which PostgreSQL takes as uuid and integer. */
const KEK_NAME = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([1-9][0-9]{0,8})$/;

function kekContext({ subject, generation }: KekName): string {
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
