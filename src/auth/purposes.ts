/**
 * For what a token may be used: codes of http://terminology.hl7.org/ValueSet/v3-PurposeOfUse, registered per client
 * and chosen per token by the `hl7-b2b` extension of the client's assertion.
 */
import { errors } from 'oidc-provider';
import { PURPOSES_OF_USE } from '../fhir/terminology/purpose-of-use.ts';

/** The code system by its OID, which UDAP prescribes, and by its URL. */
const SYSTEM_PREFIX =
  /^(urn:oid:2\.16\.840\.1\.113883\.5\.8|http:\/\/terminology\.hl7\.org\/CodeSystem\/v3-ActReason)[#|]/;

/** The code of a purpose written as `TREAT` or `urn:oid:2.16.840.1.113883.5.8#TREAT`; undefined when it is none. */
function purposeCode(text: unknown): string | undefined {
  const code = typeof text === 'string' ? text.replace(SYSTEM_PREFIX, '') : '';
  return PURPOSES_OF_USE.has(code) ? code : undefined;
}

/** A non-empty list of purposes as codes without repetition, or undefined when any of it is not a purpose. */
export function readPurposes(list: unknown): string[] | undefined {
  if (!Array.isArray(list) || list.length === 0) return undefined;
  const codes = list.map(purposeCode).filter((code) => code !== undefined);
  return codes.length === list.length ? [...new Set(codes)] : undefined;
}

/**
 * The purposes of a token: those that its client's assertion names, all of them registered; without any named the one
 * registered purpose; of several registered ones none, because nobody but the client knows which it means.
 *
 * @param extensions the assertion's claim of that name: `{"hl7-b2b": {version: "1", subject_id?, organization_id?,
 *   purpose_of_use: [code, ...]}}`. http://hl7.org/fhir/us/udap-security/STU1/b2b.html
 * @throws CustomOIDCProviderError `invalid_grant` that says what is wrong
 */
export function grantPurposes(extensions: unknown, registered: readonly string[]): readonly string[] {
  const b2b = extensions === undefined ? undefined : object(extensions, 'extensions')['hl7-b2b'];
  if (b2b === undefined) return registered.length === 1 ? registered : [];
  const claims = object(b2b, 'hl7-b2b');
  if (claims.version !== '1') throw refused('hl7-b2b.version must be 1, as a string');
  const purposes = readPurposes(claims.purpose_of_use);
  if (purposes === undefined) throw refused('hl7-b2b.purpose_of_use must be a list of v3-PurposeOfUse codes');
  if (!purposes.every((purpose) => registered.includes(purpose))) {
    throw refused('hl7-b2b.purpose_of_use names a purpose that is not registered for this client');
  }
  return purposes;
}

function object(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refused(`${name} must be an object`);
  return value as Readonly<Record<string, unknown>>;
}

function refused(description: string): errors.CustomOIDCProviderError {
  return new errors.CustomOIDCProviderError('invalid_grant', description);
}
