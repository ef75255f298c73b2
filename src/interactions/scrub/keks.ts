import { createHmac } from 'node:crypto';
import type { KekName } from '../../storage/keys/scrub.ts';

/** The keys that a `kid` names: `subject.generation`, comma-separated. */
export function kekNames(kid: string): readonly KekName[] {
  if (kid === '') return [];
  return kid.split(',').map((name) => {
    const [subject = '', generation = ''] = name.split('.');
    return { subject, generation: Number(generation) };
  });
}

/** Whether it can be the name of a key at all; an envelope that was tampered with may name anything. */
export function isKekName({ subject, generation }: KekName): boolean {
  return UUID.test(subject) && Number.isInteger(generation) && generation > 0 && generation < 2 ** 31;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function kekName({ subject, generation }: KekName): string {
  return `${subject}.${generation}`;
}

/**
 * The keys that records use, in four bytes each however long their names are: a Bloom filter. It never forgets a key
 * that was added; of those that were not it takes about 6 in a million for one that was, so that an orphan among them
 * goes unseen, and nothing is swept that is used.
 */
export interface UsedKeys {
  add(name: KekName): void;
  has(name: KekName): boolean;
}

const BITS_PER_KEY = 32;
const PROBES = 8;

/** @param capacity how many keys there are */
export function createUsedKeys(capacity: number): UsedKeys {
  const bits = Math.max(1024, capacity) * BITS_PER_KEY;
  const field = new Uint8Array(bits / 8);
  const probes = (name: KekName): readonly number[] => {
    // Only to spread the bits.
    const digest = createHmac('sha256', 'medseal/scrub').update(kekName(name)).digest();
    const [start, step] = [digest.readUIntBE(0, 6), digest.readUIntBE(6, 6)];
    return Array.from({ length: PROBES }, (_, probe) => (start + probe * step) % bits);
  };
  return {
    add(name) {
      for (const bit of probes(name)) field[bit >> 3] = (field[bit >> 3] ?? 0) | (1 << (bit & 7));
    },
    has: (name) => probes(name).every((bit) => ((field[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0),
  };
}
