import { type ErrorCode, MedSealError } from '../../../errors.ts';

/** A parameter's name as it may be shown: names are the client's own text, and might be anything. */
export function safeName(name: string): string {
  return /^[\w.:*-]{1,300}$/.test(name) ? name : '(unreadable name)';
}

/** The error for a parameter. `why` must not hold the value: it may identify a patient. */
export function parameterError(name: string, why: string, code: ErrorCode = 'invalid-parameter'): MedSealError {
  const shown = safeName(name);
  return new MedSealError(code, `Search parameter "${shown}": ${why}`, { expression: shown });
}
