import { type JWTPayload, jwtVerify } from 'jose';
import { MedSealError } from '../errors.ts';
import type { TokenVerifier } from './authenticate.ts';
import type { ExternalIssuer } from './external-issuer.ts';
import { readPurposes } from './purposes.ts';
import { principalOf, type TokenClaims } from './token-principal.ts';

export interface ExternalTokensOptions {
  /** `MEDSEAL_ISSUER`: exactly the `iss` of its tokens. */
  readonly issuer: string;
  /** Its keys. */
  readonly published: Pick<ExternalIssuer, 'key'>;
  /** Exactly the audience of tokens for this server. */
  readonly publicUrl: string;
  /** Names of the institutions that this node serves. */
  readonly institutions: () => Promise<readonly string[]>;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

/** Asymmetric ones only; jose binds each to its type of key. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
/** Seconds that clocks may differ. */
const CLOCK_TOLERANCE = 10;
/** Nobody tells us when such a token is revoked, so one that is meant for longer is of use for this long only. */
const OLDEST = '1h';

/**
 * JWT access tokens (RFC 9068) of the configured issuer. Beyond that profile's own claims they carry:
 *
 * - `institution`: the name of one that this node serves; required;
 * - `scope`: SMART scopes, or `admin`;
 * - `purpose_of_use`: a list of v3-PurposeOfUse codes, or the same within `extensions.hl7-b2b`; none when absent;
 * - `patient`: the logical id of a Patient of that institution;
 * - `fhirUser`: the URL of a Practitioner, Patient or RelatedPerson, below the public URL or relative to the
 *   institution's base.
 *
 * A claim that is there and cannot be understood makes the token worthless: half a token might allow more.
 */
export function createExternalTokens(options: ExternalTokensOptions): TokenVerifier {
  const { issuer, published, publicUrl, institutions, clock } = options;
  return {
    verify: async (token) => {
      const payload = await verifyJwt(token);
      const claims = readClaims(payload);
      if (claims === undefined || !(await institutions()).includes(claims.institution)) return undefined;
      const principal = principalOf(claims, publicUrl);
      return principal === undefined ? undefined : { principal, expiresAt: (payload.exp ?? 0) * 1000 };
    },
  };

  async function verifyJwt(token: string): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(token, published.key, {
        algorithms: ALGORITHMS,
        issuer,
        audience: publicUrl,
        typ: 'at+jwt',
        requiredClaims: ['exp', 'iat', 'sub', 'client_id'],
        clockTolerance: CLOCK_TOLERANCE,
        currentDate: new Date(clock()),
        maxTokenAge: OLDEST,
      });
      return payload;
    } catch (cause) {
      if (cause instanceof MedSealError) throw cause;
      throw new MedSealError('token-invalid', 'The access token is not valid, or no longer.', { cause });
    }
  }
}

function readClaims(payload: JWTPayload): TokenClaims | undefined {
  const { client_id: clientId, institution, scope = '', patient, fhirUser } = payload;
  const purposes = claimedPurposes(payload);
  if (typeof clientId !== 'string' || typeof institution !== 'string' || typeof scope !== 'string') return undefined;
  if (purposes === undefined || !isOptionalString(patient) || !isOptionalString(fhirUser)) return undefined;
  return { clientId, institution, scope, purposes, patient, fhirUser };
}

function claimedPurposes({ purpose_of_use: direct, extensions }: JWTPayload): readonly string[] | undefined {
  const b2b = (extensions as { 'hl7-b2b'?: { purpose_of_use?: unknown } } | null | undefined)?.['hl7-b2b'];
  const claimed = direct ?? b2b?.purpose_of_use;
  return claimed === undefined ? [] : readPurposes(claimed);
}

function isOptionalString(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}
