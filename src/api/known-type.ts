import { MedSealError } from '../errors.ts';
import { isResourceType } from '../fhir/definitions/definitions.ts';

/** @throws MedSealError `not-supported` */
export function knownType(type: string): string {
  if (isResourceType(type)) return type;
  throw new MedSealError('not-supported', 'There is no such resource type or operation');
}

/** `$name` where an id is expected, or of another type, is an operation that does not exist. */
export function refuseOperation(): never {
  throw new MedSealError('not-supported', 'There is no such operation');
}
