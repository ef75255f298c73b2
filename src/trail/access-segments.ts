import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { MedSealError } from '../errors.ts';
import { openCompact, protectedHeader, sealCompact } from '../sealing/jwe.ts';
import type { KeyService } from '../sealing/key-service.ts';
import { envelopeKid } from '../sealing/version.ts';
import type { Database } from '../storage/database/port.ts';
import { selectSegment, settleSegment } from '../storage/trail/access.ts';

/** One hour's key of one institution's access trail. Dropping the hour means destroying its envelope. */
export interface SegmentKey {
  readonly key: KeyObject;
  /** Protected header of the segment's JWEs; commits to the key. */
  readonly header: string;
}

export interface AccessSegments {
  /** Made where there is none yet. @param at RFC 3339 in UTC */
  key(institution: { readonly id: number; readonly subject: string }, at: string): Promise<SegmentKey>;
  /** Of an hour that has one. @throws MedSealError `sealed-content-damaged` when it has none any more */
  openingKey(institution: number, at: string): Promise<KeyObject>;
}

export function createAccessSegments(
  database: Database,
  keys: KeyService,
  random: (length: number) => Buffer,
): AccessSegments {
  const cache = new LRUCache<string, Promise<SegmentKey>>({ max: 1000 });

  async function open(envelope: string): Promise<SegmentKey> {
    const key = createSecretKey(openCompact(await keys.openingKey(envelopeKid(envelope)), envelope));
    const kc = createHmac('sha256', key).update('medseal/key-commitment/1').digest('base64url');
    return { key, header: protectedHeader({ kc }) };
  }

  async function load(
    institution: { readonly id: number; readonly subject: string },
    hour: string,
  ): Promise<SegmentKey> {
    const wrapping = await keys.wrappingKey([institution.subject]);
    const stored =
      (await selectSegment(database, institution.id, hour)) ??
      (await settleSegment(
        database,
        institution.id,
        hour,
        sealCompact(wrapping.key, random(12), protectedHeader({ kid: wrapping.kid }), random(32)),
      ));
    return open(stored);
  }

  return {
    key(institution, at) {
      const hour = hourOf(at);
      const name = `${institution.id} ${hour}`;
      const known = cache.get(name);
      if (known !== undefined) return known;
      const loading = load(institution, hour);
      cache.set(name, loading);
      loading.catch(() => cache.delete(name));
      return loading;
    },
    async openingKey(institution, at) {
      const hour = hourOf(at);
      const known = cache.get(`${institution} ${hour}`);
      if (known !== undefined) return (await known).key;
      const stored = await selectSegment(database, institution, hour);
      if (stored === undefined)
        throw new MedSealError('sealed-content-damaged', 'An hour of the access trail has lost its key');
      const opened = await open(stored);
      cache.set(`${institution} ${hour}`, Promise.resolve(opened));
      return opened.key;
    },
  };
}

function hourOf(at: string): string {
  return `${at.slice(0, 13)}:00:00.000Z`;
}
