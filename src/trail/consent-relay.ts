import { MedSealError } from '../errors.ts';
import { canonicalJson } from '../fhir/json/canonical.ts';
import type { Logger } from '../logger.ts';
import type { Database } from '../storage/database/port.ts';
import {
  type ConsentEntryRow,
  dropEntryTransaction,
  selectOpenEntries,
  setEntrySettled,
  settleEntryTransaction,
} from '../storage/trail/consent-entries.ts';
import { tryLock } from '../storage/trail/log.ts';
import { type Ledger, refusalOf } from './ledger/port.ts';

/**
 * Tells the ledger of consents: granted, changed, withdrawn, each a transaction of its own (DESIGN §7). Behind the write,
 * in order, with the transaction's bytes durable before they are submitted; a withdrawal binds here long before.
 */
export interface ConsentRelay {
  /** @returns how many were settled */
  run(): Promise<number>;
}

export interface ConsentRelayOptions {
  readonly database: Database;
  readonly ledger: Ledger;
  readonly institutionName: (id: number) => string;
  readonly logger: Logger;
}

const AT_ONCE = 100;

export function createConsentRelay({ database, ledger, institutionName, logger }: ConsentRelayOptions): ConsentRelay {
  /** Whoever consents again after an end makes a new consent on the ledger, which does not take an ended one back. */
  function keyOf({ active, freshKey, previousKey, previousActive }: ConsentEntryRow): string | undefined {
    if (previousKey !== null && previousActive === true) return previousKey;
    return active ? freshKey : undefined;
  }

  function argumentOf(entry: ConsentEntryRow, key: string): string {
    return canonicalJson({
      institution: institutionName(entry.institution),
      consent: key,
      commitment: entry.commitment.toString('hex'),
      // What is withdrawn is withdrawn from those who had it.
      grantees: [...(entry.active ? entry.grantees : (entry.previousGrantees ?? entry.grantees))],
      status: entry.active ? 'active' : 'withdrawn',
      version: entry.version,
      start: entry.from,
      end: entry.until,
    });
  }

  async function bytesOf(entry: ConsentEntryRow, key: string): Promise<Uint8Array> {
    if (entry.transactionBytes !== null) return entry.transactionBytes;
    const call = { contract: 'consent', transaction: 'record', args: [argumentOf(entry, key)] } as const;
    const prepared = await ledger.prepare(call);
    await settleEntryTransaction(database, entry.id, prepared);
    return prepared.bytes;
  }

  async function advance(entry: ConsentEntryRow): Promise<boolean> {
    const key = keyOf(entry);
    if (key === undefined) {
      await setEntrySettled(database, entry.id, { key: null, block: undefined, held: undefined });
      return true;
    }
    try {
      const { status, block } = await ledger.submit(await bytesOf(entry, key));
      if (status === 'VALID') await setEntrySettled(database, entry.id, { key, block, held: undefined });
      else await dropEntryTransaction(database, entry.id);
      return status === 'VALID';
    } catch (error) {
      if (!(error instanceof MedSealError) || error.code !== 'ledger-rejected') throw error;
      await refused(entry, key, error);
      return true;
    }
  }

  /** After a rebuild the ledger knows more than this database; anything else is for an administrator to see. */
  async function refused(entry: ConsentEntryRow, key: string, error: MedSealError): Promise<void> {
    const reason = refusalOf(error) ?? error.code;
    const known = reason === 'consent-version' || reason === 'consent-ended';
    if (!known) {
      logger.error({ err: error, institution: institutionName(entry.institution) }, 'the ledger refused a consent');
    }
    await setEntrySettled(database, entry.id, { key, block: undefined, held: known ? undefined : reason });
  }

  async function advanceAll(): Promise<number> {
    let settled = 0;
    for (const entry of await selectOpenEntries(database, AT_ONCE)) if (await advance(entry)) settled += 1;
    return settled;
  }

  return {
    run: () =>
      database.transaction('writer', async (sql) => ((await tryLock(sql, 'consent relay')) ? advanceAll() : 0)),
  };
}
