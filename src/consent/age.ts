import type { Patient } from '@medplum/fhirtypes';
import { parseTemporal } from '../fhir/fhirpath/temporal.ts';

/** Years at which a person is of age (Civil Code of China, article 17); a consent may end earlier by its period. */
const MAJORITY = 18;

/**
 * Whether a patient is of age at an instant: from the beginning of the birthday in UTC, and of a birth date that tells
 * only the year or the month from the earliest day that it may be. Undefined when it is not told.
 */
export function isOfAge({ birthDate }: Pick<Patient, 'birthDate'>, instant: number): boolean | undefined {
  const born = birthDate === undefined ? undefined : parseTemporal(birthDate)?.low;
  if (born === undefined) return undefined;
  const birthday = new Date(born);
  birthday.setUTCFullYear(birthday.getUTCFullYear() + MAJORITY);
  return instant >= birthday.getTime();
}
