import type { Database } from '../database/port.ts';

/** One version of a consent that the ledger is to be told of. */
export interface ConsentEntryRow {
  readonly id: bigint;
  readonly institution: number;
  readonly consent: string;
  readonly version: number;
  readonly active: boolean;
  readonly freshKey: string;
  readonly commitment: Buffer;
  readonly grantees: readonly string[];
  readonly from: string;
  readonly until: string | null;
  readonly transactionBytes: Buffer | null;
  /** The last settled entry of the same consent, where there is one. */
  readonly previousKey: string | null;
  readonly previousActive: boolean | null;
  readonly previousGrantees: readonly string[] | null;
}

/** Oldest first; of each consent only the oldest that is not settled. */
export function selectOpenEntries(database: Database, limit: number): Promise<readonly ConsentEntryRow[]> {
  return database.query(
    'writer',
    `select e.id, e.institution, e.consent, e.version, e.active, e.fresh_key as "freshKey", e.commitment, e.grantees,
       e.valid_from as "from", e.valid_until as "until", e.transaction_bytes as "transactionBytes",
       p.ledger_key as "previousKey", p.active as "previousActive",
       p.grantees as "previousGrantees"
     from consent_entry e
     left join lateral (
       select ledger_key, active, grantees from consent_entry b
       where b.consent = e.consent and b.version < e.version order by b.version desc limit 1) p on true
     where e.settled_at is null
       and e.version = (
         select o.version from consent_entry o where o.consent = e.consent and o.settled_at is null
         order by o.version limit 1)
     order by e.id limit $1`,
    [limit],
  );
}

/**
 * A ledger that knows none of them is to be told of the consents of an institution as they are: of each the last version
 * that was settled, if it is active, and what comes after it.
 */
export async function reopenEntries(database: Database, institution: number): Promise<void> {
  await database.query(
    'writer',
    `with newest as (
       select distinct on (consent) id, active from consent_entry
       where institution = $1 and settled_at is not null order by consent, version desc
     )
     update consent_entry e set settled_at = null, block = null, transaction_id = null, transaction_bytes = null, held = null
     where e.institution = $1 and (e.settled_at is null or e.id in (select id from newest where active))`,
    [institution],
  );
}

/** Bytes that were settled before stand. */
export async function settleEntryTransaction(
  database: Database,
  id: bigint,
  transaction: { readonly transactionId: string; readonly bytes: Uint8Array },
): Promise<void> {
  await database.query(
    'writer',
    `update consent_entry set transaction_id = $2, transaction_bytes = $3 where id = $1 and transaction_bytes is null`,
    [id, transaction.transactionId, transaction.bytes],
  );
}

export async function dropEntryTransaction(database: Database, id: bigint): Promise<void> {
  await database.query(
    'writer',
    'update consent_entry set transaction_id = null, transaction_bytes = null where id = $1 and settled_at is null',
    [id],
  );
}

/** @param block undefined where the ledger had nothing to be told, or knew already */
export async function setEntrySettled(
  database: Database,
  id: bigint,
  settled: { readonly key: string | null; readonly block: bigint | undefined; readonly held: string | undefined },
): Promise<void> {
  await database.query(
    'writer',
    'update consent_entry set settled_at = now(), ledger_key = $2, block = $3, held = $4 where id = $1',
    [id, settled.key, settled.block ?? null, settled.held ?? null],
  );
}
