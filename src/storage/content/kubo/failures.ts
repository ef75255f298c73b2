import { MedSealError } from '../../../errors.ts';

/** What a Kubo node says in words only: its RPC answers every failure with status 500 and a message. */
const MISSING = /not found locally|could not find/;
const NOT_PINNED = /is not pinned|not pinned or pinned/;
const FULL = /no space left on device|disk quota exceeded/i;
const DAMAGED = /different hash than requested|checksum mismatch|corrupt/i;

export function saysMissing(error: unknown): boolean {
  return MISSING.test(spoken(error));
}

export function saysNotPinned(error: unknown): boolean {
  return NOT_PINNED.test(spoken(error));
}

/** Whether the node works as a whole, whatever it said of this one call. */
export function isAnswer(error: unknown): boolean {
  return spoken(error) !== '' || error instanceof MedSealError;
}

/** The node's own words; '' when it did not come to answer, or something else did in its place. */
function spoken(error: unknown): string {
  const { name, message, response } = error as { name?: string; message?: string; response?: { status?: number } };
  return name === 'HTTPError' && response?.status === 500 ? (message ?? '') : '';
}

/** As the port promises. */
export function storageError(node: string, cause: unknown): MedSealError {
  if (cause instanceof MedSealError) return cause;
  const text = spoken(cause);
  if (FULL.test(text)) return new MedSealError('storage-full', `The Kubo node ${node} has no space left.`, { cause });
  if (DAMAGED.test(text)) {
    return new MedSealError('sealed-content-damaged', `A block of the Kubo node ${node} is damaged.`, { cause });
  }
  return new MedSealError('storage-unavailable', `The Kubo node ${node} does not answer as it should.`, { cause });
}

/** What cannot be helped by trying again weighs most. */
const BY_WEIGHT = ['internal', 'sealed-content-damaged', 'storage-full'] as const;

/** One error for what several nodes said. */
export function worstOf(errors: readonly MedSealError[]): MedSealError {
  const worst = BY_WEIGHT.map((code) => errors.find((error) => error.code === code)).find(Boolean) ?? errors[0];
  const { code, message } = worst ?? { code: 'storage-unavailable' as const, message: 'No Kubo node answers.' };
  return new MedSealError(code, message, { cause: errors.length > 1 ? new AggregateError(errors) : worst?.cause });
}
