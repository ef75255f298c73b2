import { coversSome } from '../consent/scope-types.ts';
import { MedSealError } from '../errors.ts';
import { PURPOSES_OF_USE } from '../fhir/terminology/purpose-of-use.ts';
import { type ClientKeySet, readClientKeys } from './client-keys.ts';
import type { Egress } from './egress.ts';
import { ADMINISTRATION, parseScope } from './scopes.ts';

/** What an operator says of a client. Exactly one of `jwks` and `jwksUri`; at most one of `patient`, `practitioner`, `administrator`. */
export interface ClientRegistration {
  /** The `client_id`. */
  readonly id: string;
  /** '' for an administrator, and for nobody else. */
  readonly institution: string;
  /** A JSON Web Key Set of public keys. */
  readonly jwks?: unknown;
  /** Where the client publishes its keys instead. */
  readonly jwksUri?: string;
  /** v3-PurposeOfUse codes that its tokens may have. */
  readonly purposes: readonly string[];
  /** SMART scopes that its tokens may have; for an administrator exactly `admin`. */
  readonly scopes: readonly string[];
  /** Logical id of the Patient of its institution that it acts for: then it has `patient/` scopes. */
  readonly patient?: string;
  /** Logical id of the Practitioner of its institution that it acts for: then it has `user/` scopes. */
  readonly practitioner?: string;
  /** Logical id of the RelatedPerson of its institution that it acts for, who represents `patient`. */
  readonly relatedPerson?: string;
  readonly administrator?: boolean;
}

/** A checked registration, as it is sealed and stored. */
export type CheckedRegistration = Omit<ClientRegistration, 'jwks' | 'administrator'> & {
  readonly jwks?: ClientKeySet;
  readonly administrator: boolean;
};

const CLIENT_ID = /^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$/;
/** http://hl7.org/fhir/R4/datatypes.html#id */
const RESOURCE_ID = /^[A-Za-z0-9.-]{1,64}$/;

/** @throws MedSealError `invalid-parameter` that names what is wrong, and how */
export async function checkRegistration(given: ClientRegistration, egress: Egress): Promise<CheckedRegistration> {
  const { id, institution, purposes, scopes, patient, practitioner, relatedPerson, administrator = false } = given;
  ensure(CLIENT_ID.test(id), 'id must consist of 1 to 128 letters, digits and ._~-');
  ensure(
    [patient !== undefined, practitioner !== undefined, administrator].filter(Boolean).length <= 1,
    'a client acts for a patient, for a practitioner, or as an administrator, not for two of them',
  );
  ensure(administrator === (institution === ''), 'a client belongs to an institution, unless it is an administrator');
  ensure(
    relatedPerson === undefined || patient !== undefined,
    'a relatedPerson represents a patient, who must be named',
  );
  for (const bound of [patient, practitioner, relatedPerson]) {
    ensure(
      bound === undefined || RESOURCE_ID.test(bound),
      'patient, practitioner and relatedPerson must be logical ids',
    );
  }
  for (const purpose of purposes) {
    ensure(PURPOSES_OF_USE.has(purpose), `purpose ${printable(purpose)} is not a v3-PurposeOfUse code`);
  }
  checkScopes(scopes, administrator, scopeContext(given));
  return {
    id,
    institution,
    ...(await checkKeys(given, egress)),
    purposes: [...new Set(purposes)],
    scopes: [...new Set(scopes)],
    ...(patient === undefined ? {} : { patient }),
    ...(practitioner === undefined ? {} : { practitioner }),
    ...(relatedPerson === undefined ? {} : { relatedPerson }),
    administrator,
  };
}

/** The keys of a registration alone. @throws MedSealError `invalid-parameter` */
export async function checkKeys(
  { jwks, jwksUri }: Pick<ClientRegistration, 'jwks' | 'jwksUri'>,
  egress: Egress,
): Promise<{ readonly jwks: ClientKeySet } | { readonly jwksUri: string }> {
  ensure((jwks === undefined) !== (jwksUri === undefined), 'exactly one of jwks and jwksUri is needed');
  if (jwksUri === undefined) return { jwks: await readClientKeys(jwks) };
  try {
    egress.check(jwksUri);
  } catch (cause) {
    const why = cause instanceof MedSealError ? cause.message : 'it is not a URL';
    throw new MedSealError('invalid-parameter', `jwksUri: ${why}`, { cause });
  }
  return { jwksUri };
}

/** The only context that scopes of this client have: nobody acts for a user whom the registration does not name. */
export function scopeContext(
  client: Pick<ClientRegistration, 'patient' | 'practitioner'>,
): 'patient' | 'user' | 'system' {
  if (client.patient !== undefined) return 'patient';
  return client.practitioner === undefined ? 'system' : 'user';
}

function checkScopes(scopes: readonly string[], administrator: boolean, context: string): void {
  ensure(scopes.length > 0, 'scopes must not be empty');
  if (administrator) {
    ensure(
      scopes.every((scope) => scope === ADMINISTRATION),
      `an administrator has the scope ${ADMINISTRATION} only`,
    );
    return;
  }
  for (const text of scopes) {
    const scope = parseScope(text);
    ensure(scope !== undefined, `scope ${printable(text)} is not a SMART resource scope of a known type`);
    ensure(
      scope !== undefined && [...scope.actions].some((action) => coversSome([scope], action, scope.type)),
      `scope ${printable(text)} is restricted by what cannot be enforced`,
    );
    ensure(scope?.context === context, `scope ${printable(text)} must begin with ${context}/ for this client`);
  }
}

function printable(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}

function ensure(condition: boolean, message: string): asserts condition {
  if (!condition) throw new MedSealError('invalid-parameter', `${message}.`);
}
