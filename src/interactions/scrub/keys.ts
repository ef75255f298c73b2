import { envelopeKid } from '../../sealing/version.ts';
import type { Database } from '../../storage/database/port.ts';
import {
  deleteRetiredKeks,
  type KekName,
  type KekRow,
  retireKeks,
  selectExistingKeks,
  selectKekPage,
} from '../../storage/keys/scrub.ts';
import { selectSegmentPage } from '../../storage/trail/scrub.ts';
import { type Counts, type Finding, finding, type Progress, progress } from './events.ts';
import { isKekName, kekName, kekNames, type UsedKeys } from './keks.ts';

export interface KeyCheck {
  readonly database: Database;
  readonly used: UsedKeys;
  readonly institutionName: (id: number) => string;
  /** Subjects whose keys also seal what no scrub reads: the institutions'. */
  readonly alwaysUsed: ReadonlySet<string>;
  readonly counts: Counts;
  /** When the scrub began, epoch milliseconds: keys that were made later may not be used yet. */
  readonly began: number;
  readonly sweep: boolean;
}

const PAGE = 1000;
/** Longer than any request, and than a server keeps a key in mind without asking for it again. */
const SWEEP_AFTER = 60 * 60_000;
const FIRST: KekName = { subject: '00000000-0000-0000-0000-000000000000', generation: 0 };

/** Keys of the access trail's hours. */
export async function* checkSegments(check: KeyCheck): AsyncGenerator<Finding> {
  const { database, used, institutionName } = check;
  let after = { institution: 0, hour: '-infinity' };
  for (;;) {
    const page = await selectSegmentPage(database, after, PAGE);
    const last = page.at(-1);
    if (last === undefined) return;
    after = last;
    for (const { institution, envelope } of page) {
      const names = kekNames(envelopeKid(envelope));
      for (const name of names) used.add(name);
      const existing = new Set((await selectExistingKeks(database, names.filter(isKekName))).map(kekName));
      const missing = names.map(kekName).find((name) => !existing.has(name));
      if (missing !== undefined) {
        yield finding('key-missing', { institution: institutionName(institution), log: 'access', token: missing });
      }
    }
  }
}

/**
 * Keys that no record uses, as a crash between making a key and using it leaves them. With `sweep` those of more than
 * an hour are taken out of use, and those that were out of use for an hour, by an earlier sweep, are destroyed: a server
 * may have had one in mind when it was taken out, and what it sealed under it still opens.
 */
export async function* checkKeys(check: KeyCheck): AsyncGenerator<Finding | Progress> {
  const { database, counts, began } = check;
  const made = new Date(began).toISOString();
  let after = FIRST;
  for (;;) {
    const page = await selectKekPage(database, after, made, PAGE);
    const last = page.at(-1);
    if (last === undefined) return;
    after = last;
    counts.keys += page.length;
    const unused = page.filter((kek) => !check.used.has(kek) && !check.alwaysUsed.has(kek.subject));
    const swept = check.sweep ? await sweep(check, unused) : new Set<string>();
    for (const kek of unused) {
      // One that is out of use already has been told of.
      if (kek.retiredAt !== null && !swept.has(kekName(kek))) continue;
      const mark = swept.has(kekName(kek)) ? { swept: true } : {};
      yield { ...finding('orphan-key', { token: kekName(kek) }), severity: 'information', ...mark };
    }
    yield progress('keys', counts.keys);
  }
}

/** @returns names of the keys that were taken out of use or destroyed */
async function sweep({ database, began }: KeyCheck, unused: readonly KekRow[]): Promise<ReadonlySet<string>> {
  const before = new Date(began - SWEEP_AFTER).toISOString();
  const deleted = await deleteRetiredKeks(database, unused, before);
  const retired = await retireKeks(database, unused, before);
  return new Set([...deleted, ...retired].map(kekName));
}
