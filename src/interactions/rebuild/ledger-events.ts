import type { Anchor } from '../../trail/anchors.ts';
import type { Ledger, LedgerBlock } from '../../trail/ledger/port.ts';

/** What the ledger recorded, in its order, and the block that it is in. */
export type LedgerEvent =
  | { readonly kind: 'anchor'; readonly anchor: Anchor; readonly block: bigint }
  /** An institution was bound to this node's organisation. */
  | { readonly kind: 'institution'; readonly name: string };

export type PlacedAnchor = Extract<LedgerEvent, { kind: 'anchor' }>;

/**
 * The registrations and anchors of this node's organisation in the order in which the ledger took them, up to the given
 * heads: a record may refer to every institution that was registered before it, and to no other.
 *
 * @param heads the newest anchor of each log, by `institution log`
 * @param from the block to begin with
 */
export async function* eventsUpTo(
  ledger: Ledger,
  heads: ReadonlyMap<string, Anchor>,
  from: bigint,
): AsyncGenerator<LedgerEvent> {
  const open = new Set(heads.keys());
  const stop = new AbortController();
  if (open.size === 0) return;
  try {
    for await (const block of ledger.blocks(from, stop.signal)) {
      for (const event of eventsOf(block, ledger.membership.mspId)) {
        if (event.kind === 'institution') yield event;
        else if (open.has(logOf(event.anchor))) {
          yield event;
          const head = heads.get(logOf(event.anchor));
          if (event.anchor.transactionId === head?.transactionId) open.delete(logOf(head));
        }
      }
      if (open.size === 0) return;
    }
  } finally {
    stop.abort();
  }
}

function* eventsOf({ number: block, transactions }: LedgerBlock, owner: string): Generator<LedgerEvent> {
  for (const { event } of transactions) {
    const state = event === undefined ? undefined : (JSON.parse(event.payload) as Anchor);
    if (state?.owner !== owner) continue;
    if (event?.name === 'institution') yield { kind: 'institution', name: state.institution };
    if (event?.name === 'anchor') yield { kind: 'anchor', anchor: state, block };
  }
}

function logOf({ institution, log }: Anchor): string {
  return `${institution} ${log}`;
}
