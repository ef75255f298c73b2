import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../../storage/database/port.ts';
import type { LogKey } from '../../storage/log/tiles.ts';
import { type ScrubBatch, selectAnchoredPage } from '../../storage/trail/scrub.ts';
import { LOG_NUMBER, type LogName } from '../../trail/leaf.ts';
import type { Ledger } from '../../trail/ledger/port.ts';
import { type Counts, type Finding, finding, type Progress, progress } from './events.ts';

export interface LedgerCheck {
  readonly database: Database;
  readonly ledger: Ledger;
  readonly institutions: () => readonly { readonly id: number; readonly name: string }[];
  readonly counts: Counts;
}

interface LogOnLedger extends LogKey {
  readonly place: { readonly institution: string; readonly log: LogName };
}

interface LedgerAnchor {
  readonly size: number;
  readonly root: string;
  readonly manifest: string;
  readonly sequence: number;
  readonly transactionId: string;
}

const PAGE = 100;
/** How long a relay may take from the ledger's commit to its record in the database. */
const PATIENCE = { attempts: 20, pause: 250 };

/** Every log's chain of anchors on the ledger is that of its anchored batches, the newest included. */
export async function* checkLedger(check: LedgerCheck): AsyncGenerator<Finding | Progress> {
  for (const { id, name } of check.institutions()) {
    for (const log of ['records', 'access'] as const) {
      const key = { institution: id, log: LOG_NUMBER[log], place: { institution: name, log } };
      yield* checkChain(check, key);
    }
  }
}

async function* checkChain(check: LedgerCheck, log: LogOnLedger): AsyncGenerator<Finding | Progress> {
  const { newest, ahead, head } = await settled(check, log);
  if (ahead !== undefined) yield finding('ledger-ahead', { ...log.place, batch: ahead });
  const anchors = history(check, log, newest);
  let anchor = await anchors.next();
  for await (const batch of anchoredBatches(check, log, newest)) {
    const place = { ...log.place, batch: Number(batch.size) };
    // Anchors of batches that are not here.
    while (!anchor.done && anchor.value.size > Number(batch.size)) {
      yield finding('ledger-ahead', { ...log.place, batch: anchor.value.size });
      anchor = await anchors.next();
    }
    if (anchor.done || anchor.value.size < Number(batch.size)) {
      yield finding('anchor-missing', place);
      continue;
    }
    const isHead = head?.size === Number(batch.size);
    const agrees = (await isAnchorOf(check, anchor.value, batch)) && (!isHead || names(head, batch));
    if (!agrees) yield finding('anchor-differs', place);
    anchor = await anchors.next();
    check.counts.anchors += 1;
    if (check.counts.anchors % PAGE === 0) yield progress('ledger', check.counts.anchors);
  }
  for (; !anchor.done; anchor = await anchors.next()) {
    yield finding('ledger-ahead', { ...log.place, batch: anchor.value.size });
  }
  yield progress('ledger', check.counts.anchors);
}

interface Heads {
  /** Size of our newest anchored batch. */
  readonly newest: number;
  /** The ledger's newest anchor of the same size or a smaller one. */
  readonly head: LedgerAnchor | undefined;
  /** Size of the ledger's newest where it is larger. */
  readonly ahead: number | undefined;
}

/** Both newest anchors, once the ledger is not ahead any more only because a relay is at work. */
async function settled(check: LedgerCheck, log: LogOnLedger): Promise<Heads> {
  for (let attempt = 1; ; attempt++) {
    const [batch] = await selectAnchoredPage(check.database, log, BEYOND, 1);
    const newest = Number(batch?.size ?? 0n);
    const theirs = await newestOnLedger(check, log);
    if (theirs === null || theirs.size <= newest) return { newest, head: theirs ?? undefined, ahead: undefined };
    if (attempt === PATIENCE.attempts) return { newest, head: undefined, ahead: theirs.size };
    await delay(PATIENCE.pause);
  }
}

const BEYOND = 2n ** 62n;

async function newestOnLedger({ ledger }: LedgerCheck, { place }: LogOnLedger): Promise<LedgerAnchor | null> {
  const args = [place.institution, place.log];
  const answer = await ledger.evaluate({ contract: 'anchor', transaction: 'read', args });
  return JSON.parse(Buffer.from(answer).toString('utf8'));
}

/** The ledger's anchors up to a size, newest first. */
async function* history({ ledger }: LedgerCheck, { place }: LogOnLedger, upTo: number): AsyncGenerator<LedgerAnchor> {
  for (let before = ''; ; ) {
    const args = [place.institution, place.log, before, String(PAGE)];
    const answer = await ledger.evaluate({ contract: 'anchor', transaction: 'history', args });
    const { items } = JSON.parse(Buffer.from(answer).toString('utf8')) as { items: readonly LedgerAnchor[] };
    for (const anchor of items) if (anchor.size <= upTo) yield anchor;
    const last = items.at(-1);
    if (last === undefined || items.length < PAGE) return;
    before = String(last.sequence);
  }
}

/** Our anchored batches up to a size, newest first. */
async function* anchoredBatches({ database }: LedgerCheck, log: LogOnLedger, upTo: number): AsyncGenerator<ScrubBatch> {
  for (let below = BigInt(upTo) + 1n; ; ) {
    const page = await selectAnchoredPage(database, log, below, PAGE);
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    below = last.size;
  }
}

async function isAnchorOf({ ledger }: LedgerCheck, anchor: LedgerAnchor, batch: ScrubBatch): Promise<boolean> {
  if (!names(anchor, batch)) return false;
  const committed = await ledger.find(anchor.transactionId);
  return committed?.status === 'VALID' && committed.block === batch.block;
}

function names({ root, manifest, transactionId }: LedgerAnchor, batch: ScrubBatch): boolean {
  return root === batch.root.toString('hex') && manifest === batch.manifest && transactionId === batch.transactionId;
}
