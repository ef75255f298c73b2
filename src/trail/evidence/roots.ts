import { MedSealError } from '../../errors.ts';
import { canonicalJson } from '../../fhir/json/canonical.ts';
import { embeddedRootsShape, type LedgerRoots } from '../ledger/embedded/identities.ts';
import { constant, record } from '../ledger/embedded/shape.ts';
import { type FabricRoots, fabricRootsShape } from '../ledger/fabric/roots.ts';

/**
 * What a verifier pins, once, out of band: public keys, or the certificates of a consortium's authorities. `roots.json` in
 * the data directory.
 */
export interface TrustRoots {
  readonly format: typeof ROOTS_FORMAT;
  readonly ledger: LedgerRoots | FabricRoots;
}

export const ROOTS_FORMAT = 'medseal/roots/1';

const rootsShape = record({
  format: constant(ROOTS_FORMAT),
  ledger: (value) => embeddedRootsShape(value) || fabricRootsShape(value),
});

export function formatRoots(roots: TrustRoots): string {
  return `${canonicalJson(roots)}\n`;
}

/** @throws MedSealError `evidence-invalid` for anything but trust roots */
export function parseRoots(file: string): TrustRoots {
  let parsed: unknown;
  try {
    parsed = JSON.parse(file);
  } catch (cause) {
    throw new MedSealError('evidence-invalid', 'The trust roots are not JSON', { cause });
  }
  if (!rootsShape(parsed)) throw new MedSealError('evidence-invalid', 'The trust roots do not have the right fields');
  return parsed as TrustRoots;
}
