import type { Principal, ResourceIdentity } from '../request-context.ts';
import { ADMINISTRATION, parseScopes } from './scopes.ts';

/** What a token says, ours or another issuer's, before it means anything here. */
export interface TokenClaims {
  readonly clientId: string;
  readonly institution: string;
  /** As granted, separated by spaces. */
  readonly scope: string;
  readonly purposes: readonly string[];
  /** Logical id of a Patient of the institution. */
  readonly patient: string | undefined;
  /** URL of a user's resource, absolute or relative to the institution's base. */
  readonly fhirUser: string | undefined;
}

/** http://hl7.org/fhir/R4/datatypes.html#id */
const RESOURCE_ID = /^[A-Za-z0-9.-]{1,64}$/;
const USER = /^(?:([a-z0-9-]+)\/fhir\/)?(Practitioner|PractitionerRole|Patient|RelatedPerson)\/([A-Za-z0-9.-]{1,64})$/;

/**
 * The principal of a token. Scopes that nothing bears out are dropped: `patient/` without a patient, `user/` without a
 * user, `system/` beside either; and all of them beside `admin`, which shuts out clinical content.
 *
 * @returns undefined when the token names a patient or a user that cannot be one of ours
 */
export function principalOf(claims: TokenClaims, publicUrl: string): Principal | undefined {
  const { clientId, institution, purposes } = claims;
  const patient = readPatient(claims);
  const user = readUser(claims, publicUrl) ?? patient;
  const understood = (given: unknown, read: unknown) => given === undefined || read !== undefined;
  if (!understood(claims.patient, patient) || !understood(claims.fhirUser, user)) return undefined;

  const borne = { patient: patient !== undefined, user: claims.fhirUser !== undefined, system: user === undefined };
  const administrator = claims.scope.split(' ').includes(ADMINISTRATION);
  return {
    clientId,
    institution,
    scopes: administrator ? [] : parseScopes(claims.scope).filter(({ context }) => borne[context]),
    purposes,
    ...(patient === undefined ? {} : { patient }),
    ...(user === undefined ? {} : { user }),
    administrator,
  };
}

function readPatient({ patient, institution }: TokenClaims): ResourceIdentity | undefined {
  return patient !== undefined && RESOURCE_ID.test(patient) ? { institution, type: 'Patient', id: patient } : undefined;
}

function readUser({ fhirUser, institution }: TokenClaims, publicUrl: string): ResourceIdentity | undefined {
  if (fhirUser === undefined) return undefined;
  const absolute = fhirUser.startsWith(`${publicUrl}/`);
  const [, named, type, id] = USER.exec(absolute ? fhirUser.slice(publicUrl.length + 1) : fhirUser) ?? [];
  // An absolute URL names an institution, a relative one does not.
  if (type === undefined || id === undefined || absolute !== (named !== undefined)) return undefined;
  return { institution: named ?? institution, type, id };
}
