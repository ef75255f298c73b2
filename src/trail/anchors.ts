import type { Predecessor } from 'medseal-chaincode/rules';
import { invariant } from '../errors.ts';
import type { LogName } from './leaf.ts';
import type { Ledger, LedgerProof } from './ledger/port.ts';

/** A tree head as the ledger holds it (chaincode/src/rules/anchor.ts). */
export interface Anchor {
  readonly institution: string;
  readonly log: LogName;
  /** MSP id of the organisation that owns the log. */
  readonly owner: string;
  readonly size: number;
  /** Hexadecimal. */
  readonly root: string;
  /** CID of the manifest of the batch that it added. */
  readonly manifest: string;
  /** 1 for the genesis. */
  readonly sequence: number;
  /** RFC 3339. */
  readonly time: string;
  readonly transactionId: string;
  /** Of the first one of a log that another ledger had anchored before. */
  readonly predecessor?: Predecessor;
}

/** The newest anchor of each log that belongs to this node's organisation, by `institution log`. */
export async function ownAnchors(ledger: Ledger): Promise<Map<string, Anchor>> {
  const own = new Map<string, Anchor>();
  for await (const anchor of newestAnchors(ledger)) {
    if (anchor.owner === ledger.membership.mspId) own.set(`${anchor.institution} ${anchor.log}`, anchor);
  }
  return own;
}

/** The one that a log began with on this ledger. */
export async function firstAnchor(ledger: Ledger, institution: string, log: LogName): Promise<Anchor | undefined> {
  const args = [institution, log, '2', '1'];
  const answer = await ledger.evaluate({ contract: 'anchor', transaction: 'history', args });
  return (JSON.parse(Buffer.from(answer).toString('utf8')) as { items: readonly Anchor[] }).items[0];
}

/** An anchor with what an offline verifier needs beside its trust roots. */
export interface ProvenAnchor {
  readonly anchor: Anchor;
  readonly proof: LedgerProof;
}

/** The newest anchor of every log on the ledger, whoever owns it, with its proof. */
export async function* provenAnchors(ledger: Ledger): AsyncGenerator<ProvenAnchor> {
  for await (const anchor of newestAnchors(ledger)) {
    const recorded = await ledger.find(anchor.transactionId);
    invariant(recorded !== undefined, 'the ledger does not know the transaction of an anchor');
    yield { anchor, proof: await recorded.prove() };
  }
}

async function* newestAnchors(ledger: Ledger): AsyncGenerator<Anchor> {
  let bookmark = '';
  do {
    const page = await listPage(ledger, bookmark);
    yield* page.items;
    bookmark = page.bookmark;
  } while (bookmark !== '');
}

interface Page {
  readonly items: readonly Anchor[];
  readonly bookmark: string;
}

async function listPage(ledger: Ledger, bookmark: string): Promise<Page> {
  const answer = await ledger.evaluate({ contract: 'anchor', transaction: 'list', args: [PAGE_SIZE, bookmark] });
  return JSON.parse(Buffer.from(answer).toString('utf8')) as Page;
}

const PAGE_SIZE = '100';
