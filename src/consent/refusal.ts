import { MedSealError } from '../errors.ts';

/** A Consent that cannot be enforced in full, by the element that stands in the way. Never with a value of it. */
export function refuse(expression: string, why: string): MedSealError {
  return new MedSealError('unenforceable-consent', `${expression} ${why}`, { expression });
}
