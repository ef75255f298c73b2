import { readFileSync } from 'node:fs';
import type { FabricConfig } from '../config.ts';
import { MedSealError } from '../errors.ts';
import { parseRoots, ROOTS_FORMAT, type TrustRoots } from '../trail/evidence/roots.ts';
import { generateLedgerIdentities, ledgerRoots, parseLedgerIdentities } from '../trail/ledger/embedded/identities.ts';
import { createEmbeddedLedger } from '../trail/ledger/embedded/ledger.ts';
import { openPastLedger, type PastLedger } from '../trail/ledger/embedded/past.ts';
import type { Ledger } from '../trail/ledger/port.ts';
import type { Foundation } from './foundation.ts';

/** What `/ready` and the metrics tell of the ledger. Writes and reads go on when it is not reachable. */
export interface LedgerStatus {
  readonly kind: 'embedded' | 'fabric';
  readonly reachable: boolean;
  /** Of a channel: how many blocks our own peer has. */
  readonly blocks?: number;
}

/** The adapter that the configuration asks for. */
export interface LedgerPart {
  readonly ledger: Ledger;
  readonly roots: TrustRoots;
  /** Whether other organisations write to it too, so that its blocks are worth following. */
  readonly isShared: boolean;
  /** The node's own ledger, where it does not write to that one any more. */
  readonly past?: PastLedger;
  status(): Promise<LedgerStatus>;
  close(): void;
}

export function openLedger(foundation: Foundation): Promise<LedgerPart> {
  const { fabric } = foundation.config;
  return fabric === undefined ? openEmbedded(foundation) : openFabric(foundation, fabric);
}

/** The in-process ledger; its identities are kept like any other secret, so that a restart goes on with them. */
async function openEmbedded({ database, keys, faults, logger }: Foundation): Promise<LedgerPart> {
  const stored = await keys.secret('embedded ledger', () => Buffer.from(JSON.stringify(generateLedgerIdentities())));
  const identities = parseLedgerIdentities(stored.toString('utf8'));
  const ledger = await createEmbeddedLedger({ database, identities, clock: Date.now, faults, logger });
  return {
    ledger,
    roots: { format: ROOTS_FORMAT, ledger: ledgerRoots(identities) },
    isShared: false,
    status: async () => ({ kind: 'embedded', reachable: (await database.status()).reachable }),
    close: () => undefined,
  };
}

/** A channel of a consortium. Its trust roots come from a file that this institution was given, as its verifiers were. */
async function openFabric({ database, faults, logger }: Foundation, config: FabricConfig): Promise<LedgerPart> {
  const roots = parseRoots(readRootsFile(config.roots));
  if (roots.ledger.ledger !== 'fabric') {
    throw new MedSealError('invalid-configuration', 'MEDSEAL_FABRIC: the trust roots are those of an embedded ledger');
  }
  // Only who uses it pays for it at the start.
  const { createFabricLedger } = await import('../trail/ledger/fabric/ledger.ts');
  const ledger = createFabricLedger({ config, roots: roots.ledger, clock: Date.now, faults, logger });
  return {
    ledger,
    roots,
    isShared: true,
    past: openPastLedger(database),
    status: async () => ({ kind: 'fabric', ...(await ledger.status()) }),
    close: () => ledger.close(),
  };
}

function readRootsFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new MedSealError('invalid-configuration', `MEDSEAL_FABRIC: ${path} cannot be read`, { cause });
  }
}
