import { type ErrorCode, MedSealError } from '../../../errors.ts';

const UNAVAILABLE: ReadonlySet<ErrorCode> = new Set([
  'storage-unavailable',
  'storage-full',
  'timed-out',
  'version-conflict',
]);

/** Runs `work`; what the database cannot do at the moment becomes `ledger-unavailable`. */
export async function asLedger<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof MedSealError) || !UNAVAILABLE.has(error.code)) throw error;
    throw new MedSealError('ledger-unavailable', 'The ledger cannot be reached at the moment.', { cause: error });
  }
}
