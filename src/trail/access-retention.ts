import { randomUUID } from 'node:crypto';
import type { Database } from '../storage/database/port.ts';
import { insertAccessEntries } from '../storage/trail/access.ts';
import {
  destroyEntries,
  destroySegments,
  noteDrop,
  selectBatchesBehind,
  selectDropped,
} from '../storage/trail/access-drops.ts';
import type { AccessTrail } from './access-trail.ts';

/** What is to go, on whose word. */
export interface DropWish {
  /** RFC 3339 in UTC: entries from before this instant. */
  readonly before: string;
  /** Client of whoever asked. */
  readonly by: string;
  readonly why: string;
}

/** What went at one institution. */
interface DroppedAccess {
  readonly event: 'dropped';
  readonly institution: string;
  /** Entries of all leaves below this are gone. */
  readonly leaves: number;
  /** That went now. */
  readonly entries: number;
  readonly hours: number;
}

/** The last one: that the others are all. */
interface DropSummary {
  readonly event: 'summary';
  /** Where something went. */
  readonly institutions: number;
}

export type DropEvent = DroppedAccess | DropSummary;

/**
 * Drops the oldest entries of the access logs: whole anchored batches, from the beginning on, all of which is older
 * (DESIGN §8, docs/adr/0023). What an entry says is destroyed, and the keys of hours of which nothing is left; its leaf,
 * the tree and the anchors stay. An entry of the log says so, and is durable before anything is gone. What a crash
 * leaves undone the next run does.
 */
export interface AccessRetention {
  /** One institution after the other; those where there is nothing to drop are left out. */
  drop(wish: DropWish): AsyncGenerator<DropEvent>;
}

export interface AccessRetentionOptions {
  readonly database: Database;
  readonly trail: Pick<AccessTrail, 'seal'>;
  readonly institutions: () => readonly { readonly id: number; readonly name: string }[];
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Leaves whose entries one transaction destroys. */
  readonly leavesAtOnce?: number;
  /** Something was committed. */
  readonly onCommit?: () => void;
}

const BATCHES = 500;
/** Longer than any request: none can still write an entry of an hour that ended so long ago. */
const SETTLED = 3_600_000;

export function createAccessRetention(options: AccessRetentionOptions): AccessRetention {
  const { database, trail, institutions, now, leavesAtOnce = 2000 } = options;

  /** Where the last of the oldest batches ends that are anchored and older. */
  async function endOf(institution: number, from: bigint, before: string): Promise<bigint> {
    let end = from;
    for (;;) {
      const page = await selectBatchesBehind(database, institution, end, BATCHES);
      for (const { size, sealedAt, anchored } of page) {
        if (!anchored || sealedAt >= before) return end;
        end = size;
      }
      if (page.length < BATCHES) return end;
    }
  }

  async function note(institution: { readonly id: number; readonly name: string }, wish: DropWish): Promise<void> {
    const known = await selectDropped(database, institution.id);
    const size = await endOf(institution.id, known, wish.before);
    if (size === known) return;
    const { before, by, why } = wish;
    const row = await trail.seal({
      institution,
      at: new Date(now()).toISOString(),
      patients: [],
      details: {
        client: by,
        from: institution.name,
        purposes: [],
        interaction: DROP,
        target: 'AuditEvent',
        remark: why,
        status: 200,
        requestId: randomUUID(),
        versions: [],
        patients: [],
        dropped: { leaves: Number(size), before },
      },
    });
    await database.transaction('writer', async (sql) => {
      if (await noteDrop(sql, { institution: institution.id, size, before, note: row.idToken }))
        await insertAccessEntries(sql, [row]);
    });
    options.onCommit?.();
  }

  return {
    async *drop(wish) {
      let touched = 0;
      for (const institution of institutions()) {
        await note(institution, wish);
        let entries = 0;
        for (let gone: number | undefined = 0; gone !== undefined; ) {
          gone = await destroyEntries(database, institution.id, leavesAtOnce);
          entries += gone ?? 0;
        }
        const settled = new Date(now() - SETTLED).toISOString();
        const hours = await destroySegments(database, institution.id, settled);
        if (entries + hours === 0) continue;
        const leaves = Number(await selectDropped(database, institution.id));
        touched += 1;
        yield { event: 'dropped', institution: institution.name, leaves, entries, hours };
      }
      yield { event: 'summary', institutions: touched };
    },
  };
}

/** The interaction of an entry that says what was dropped. */
export const DROP = 'drop-access';
