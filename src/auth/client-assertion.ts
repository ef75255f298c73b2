import { errors } from 'oidc-provider';

/** Where assertions are meant for, and by which clock they are judged. */
export interface AssertionRules {
  readonly issuer: string;
  readonly tokenEndpoint: string;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

/** SMART allows assertions five minutes; and clocks differ. Seconds. */
const LONGEST_LIFETIME = 300;
export const CLOCK_TOLERANCE = 10;

/** Header parameters that bring a key along (RFC 7515, section 4.1): only registered keys are ever used. */
const FOREIGN_KEYS = ['jwk', 'x5c', 'x5u'];

type JsonObject = Readonly<Record<string, unknown>>;
type Check = (claims: JsonObject, header: JsonObject, client: AssertingClient, rules: AssertionRules) => boolean;
type AssertingClient = { readonly id: string; readonly jwksUri?: string };

/** What must hold of an assertion beyond a good signature, and what its client is told otherwise. */
const CHECKS: readonly (readonly [what: string, holds: Check])[] = [
  ['kid must name a registered key', (_, { kid }) => typeof kid === 'string' && kid !== ''],
  ['typ must be JWT', (_, { typ }) => typ === undefined || (typeof typ === 'string' && typ.toUpperCase() === 'JWT')],
  ['the header must not bring a key along', (_, header) => FOREIGN_KEYS.every((name) => header[name] === undefined)],
  ['jku must be the registered jwks_uri', (_, { jku }, client) => jku === undefined || jku === client.jwksUri],
  ['iss and sub must be the client_id', ({ iss, sub }, _, client) => iss === client.id && sub === client.id],
  [
    'aud must be the token endpoint or the issuer, and nothing else',
    ({ aud }, _, __, { issuer, tokenEndpoint }) => {
      const [audience, ...more] = Array.isArray(aud) ? aud : [aud];
      return more.length === 0 && (audience === tokenEndpoint || audience === issuer);
    },
  ],
  [
    'exp must be at most five minutes ahead',
    ({ exp }, _, __, { clock }) =>
      typeof exp === 'number' && exp <= clock() / 1000 + LONGEST_LIFETIME + CLOCK_TOLERANCE,
  ],
  ['jti must be a string', ({ jti }) => typeof jti === 'string' && jti !== ''],
];

/**
 * Judges a client assertion whose signature was verified with a registered key, and whose exp and nbf fit the time.
 * https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
 *
 * @throws InvalidClientAuth that says what is wrong: whoever signed this may know
 */
export function checkAssertion(
  claims: JsonObject,
  header: JsonObject,
  client: AssertingClient,
  rules: AssertionRules,
): void {
  const failed = CHECKS.find(([, holds]) => !holds(claims, header, client, rules));
  if (failed === undefined) return;
  const error = new errors.InvalidClientAuth(failed[0]);
  error.error_description = `the client assertion is not acceptable: ${failed[0]}`;
  throw error;
}
