import { hash, randomBytes } from 'node:crypto';
import { MedSealError } from '../errors.ts';
import type { Principal, ResourceIdentity, Scope } from '../request-context.ts';
import { deleteArtifact, putArtifact } from '../storage/auth/artifacts.ts';
import type { Database } from '../storage/database/port.ts';
import { placeOf } from './adapter.ts';
import type { ChangeFeed } from './changes.ts';
import { formatScope } from './scopes.ts';
import type { SealedBox } from './sealed-box.ts';

/** Tokens for one patient in an emergency (DESIGN §7.5): opaque as all of ours, and revoked as they are. */
export interface EmergencyTokens {
  /**
   * @param user the practitioner who asks
   * @param patient whose record alone it opens
   */
  issue(principal: Principal, user: ResourceIdentity, patient: ResourceIdentity, seconds: number): Promise<IssuedToken>;
  revoke(digest: Buffer): Promise<void>;
}

export interface IssuedToken {
  readonly token: string;
  readonly digest: Buffer;
  readonly scope: string;
}

const MODEL = 'ClientCredentials';

export interface EmergencyTokensOptions {
  readonly database: Database;
  readonly changes: ChangeFeed;
  readonly box: SealedBox;
  /** As of `createAuthorizationServer`. */
  readonly publicUrl: string;
}

export function createEmergencyTokens({ database, changes, box, publicUrl }: EmergencyTokensOptions): EmergencyTokens {
  return {
    async issue({ clientId, scopes }, user, patient, seconds) {
      const scope = readingScope(scopes);
      const token = randomBytes(32).toString('base64url');
      const digest = hash('sha256', token, 'buffer');
      const payload = {
        clientId,
        exp: Math.floor(Date.now() / 1000) + seconds,
        aud: publicUrl,
        scope,
        extra: {
          purpose_of_use: ['ETREAT'],
          fhirUser: `${publicUrl}/${user.institution}/fhir/${user.type}/${user.id}`,
          emergency: `${patient.institution}/Patient/${patient.id}`,
        },
      };
      const sealed = await box.seal(placeOf(MODEL, digest), payload);
      const row = { model: MODEL, digest, client: clientId, grantDigest: undefined, uidDigest: undefined, sealed };
      await putArtifact(database, row, seconds);
      return { token, digest, scope };
    },
    async revoke(digest) {
      await deleteArtifact(database, MODEL, digest);
      changes.announce({ kind: 'token', digest: digest.toString('hex') });
    },
  };
}

/** What the practitioner may read anyway, by scope: an emergency opens a patient, no further types. */
function readingScope(scopes: readonly Scope[]): string {
  const reading = scopes
    .filter(({ context }) => context === 'user')
    .map((scope) => ({
      ...scope,
      actions: new Set((['r', 's'] as const).filter((action) => scope.actions.has(action))),
    }))
    .filter(({ actions }) => actions.size > 0);
  if (reading.length === 0) throw new MedSealError('forbidden', 'The token has no user/ scope to read by');
  return reading.map(formatScope).join(' ');
}
