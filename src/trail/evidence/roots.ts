import { MedSealError } from '../../errors.ts';
import { canonicalJson } from '../../fhir/json/canonical.ts';
import type { LedgerRoots } from '../ledger/embedded/identities.ts';
import { constant, hexadecimal, listOf, record, text } from '../ledger/embedded/shape.ts';

/** What a verifier pins, once, out of band: public keys only. `roots.json` in the data directory. */
export interface TrustRoots {
  readonly format: typeof ROOTS_FORMAT;
  readonly ledger: LedgerRoots;
}

export const ROOTS_FORMAT = 'medseal/roots/1';

const rootsShape = record({
  format: constant(ROOTS_FORMAT),
  ledger: record({
    ledger: constant('embedded'),
    channel: hexadecimal(),
    blockSigner: hexadecimal(32),
    organisations: listOf(record({ mspId: text, publicKey: hexadecimal(32) })),
  }),
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
