import { MedSealError } from '../errors.ts';
import { canonicalJson } from '../fhir/json/canonical.ts';
import { isRetriable, type Ledger, refusalOf } from './ledger/port.ts';

const ATTEMPTS = 5;

/** Binds an institution to this node's organisation on the ledger, once; it must come before its first anchor. */
export async function registerInstitution(ledger: Ledger, institution: string): Promise<void> {
  const { mspId, others } = ledger.membership;
  for (let attempt = 1; ; attempt++) {
    const owner = await ownerOf(ledger, institution);
    if (owner === mspId) return;
    if (owner !== undefined) {
      throw new MedSealError('ledger-rejected', 'The institution belongs to another organisation on the ledger');
    }
    const argument = canonicalJson({ institution, endorsers: [...others].sort() });
    const prepared = await ledger.prepare({ contract: 'anchor', transaction: 'register', args: [argument] });
    const { status } = await ledger.submit(prepared.bytes);
    if (status === 'VALID') return;
    if (!isRetriable(status) || attempt === ATTEMPTS) {
      throw new MedSealError('ledger-rejected', `The ledger did not register the institution: ${status}`);
    }
  }
}

/** Whether another organisation has bound the institution to itself. */
export async function isForeign(ledger: Ledger, institution: string): Promise<boolean> {
  try {
    const owner = await ownerOf(ledger, institution);
    return owner !== undefined && owner !== ledger.membership.mspId;
  } catch (error) {
    // No institution can have such a name, and whoever adds it says so better.
    if (refusalOf(error) === 'invalid-argument') return false;
    throw error;
  }
}

/** MSP id of the organisation that the institution is bound to. */
async function ownerOf(ledger: Ledger, institution: string): Promise<string | undefined> {
  const answer = await ledger.evaluate({ contract: 'anchor', transaction: 'readInstitution', args: [institution] });
  const stored = JSON.parse(Buffer.from(answer).toString('utf8')) as { owner: string } | null;
  return stored?.owner;
}
