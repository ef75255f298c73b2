import { hash } from 'node:crypto';
import type { Database } from '../../storage/database/port.ts';
import {
  countOrphanPending,
  type ScrubAccessEntry,
  selectAccessPage,
  selectUnloggedAccess,
} from '../../storage/trail/scrub.ts';
import { hashOfLeaf } from '../../trail/leaf.ts';
import { type Counts, type Finding, finding, type Progress, progress } from './events.ts';

export interface AccessCheck {
  readonly database: Database;
  readonly institutionName: (id: number) => string;
  readonly counts: Counts;
}

const PAGE = 1000;

/** Every access entry is what its leaf commits to; its numbered leaf is compared with the row in its log. */
export async function* checkAccess(check: AccessCheck): AsyncGenerator<Finding | Progress> {
  const { database, counts, institutionName } = check;
  for (let after = 0n; ; ) {
    const page = await selectAccessPage(database, after, PAGE);
    const last = page.at(-1);
    if (last === undefined) break;
    after = last.id;
    for (const entry of page) {
      const place = { institution: institutionName(entry.institution), log: 'access', row: String(entry.id) } as const;
      if (!agrees(entry)) yield finding('access-entry-differs', place);
      if (!entry.segment) yield finding('access-key-missing', place);
    }
    counts.accessEntries += page.length;
    yield progress('access', counts.accessEntries);
  }
  const { entries, first } = await selectUnloggedAccess(database);
  if (entries > 0n) yield finding('access-without-leaf', { log: 'access', row: String(first), count: Number(entries) });
  const orphans = await countOrphanPending(database);
  if (orphans > 0n) yield finding('leaf-without-row', { count: Number(orphans) });
}

function agrees({ sealed, at, leafHash, pending }: ScrubAccessEntry): boolean {
  const entry = hash('sha256', sealed, 'base64url');
  const own = leafHash.toString('hex');
  return (
    hashOfLeaf({ kind: 'access', entry, time: at }).equals(leafHash) && pending.every((waiting) => waiting === own)
  );
}
