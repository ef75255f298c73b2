import { MedSealError } from '../errors.ts';
import { canonicalJson } from '../fhir/json/canonical.ts';
import { isRetriable, type Ledger } from './ledger/port.ts';

const ATTEMPTS = 5;

/** Binds an institution to this node's organisation on the ledger, once; it must come before its first anchor. */
export async function registerInstitution(ledger: Ledger, institution: string): Promise<void> {
  const { mspId, others } = ledger.membership;
  for (let attempt = 1; ; attempt++) {
    const answer = await ledger.evaluate({ contract: 'anchor', transaction: 'readInstitution', args: [institution] });
    const stored = JSON.parse(Buffer.from(answer).toString('utf8')) as { owner: string } | null;
    if (stored?.owner === mspId) return;
    if (stored !== null)
      throw new MedSealError('ledger-rejected', 'The institution belongs to another organisation on the ledger');
    const argument = canonicalJson({ institution, endorsers: [...others].sort() });
    const prepared = await ledger.prepare({ contract: 'anchor', transaction: 'register', args: [argument] });
    const { status } = await ledger.submit(prepared.bytes);
    if (status === 'VALID') return;
    if (!isRetriable(status) || attempt === ATTEMPTS) {
      throw new MedSealError('ledger-rejected', `The ledger did not register the institution: ${status}`);
    }
  }
}
