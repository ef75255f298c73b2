import { createHmac } from 'node:crypto';
import { MedSealError } from '../../errors.ts';
import type { Institution } from '../../repository/institutions.ts';
import type { IdempotencyRecord } from '../../repository/write.ts';
import type { RequestContext } from '../../request-context.ts';
import { deriveKey, type Identities } from '../../sealing/identity.ts';
import { openCompact, protectedHeader, sealCompact } from '../../sealing/jwe.ts';
import type { KeyService } from '../../sealing/key-service.ts';
import { envelopeKid } from '../../sealing/version.ts';
import type { Database } from '../../storage/database/port.ts';
import { deleteAnswersBefore, selectAnswer } from '../../storage/trail/idempotency.ts';
import type { InteractionResult } from '../result.ts';

/** A request that may be repeated: its Idempotency-Key, and a text that is the same for the same request only. */
export interface IdempotentRequest {
  readonly key: string;
  readonly fingerprint: string;
}

/** The first answer to each Idempotency-Key, kept sealed in the write's own transaction and given again. */
export interface Replays {
  /** @throws MedSealError `idempotency-mismatch` when the key was used for another request */
  find(
    context: RequestContext,
    institution: Institution,
    request: IdempotentRequest,
  ): Promise<InteractionResult | undefined>;
  /** Makes the record that the transaction stores; a second one with the same key fails it. */
  recorder(
    context: RequestContext,
    institution: Institution,
    request: IdempotentRequest,
  ): Promise<(result: InteractionResult) => IdempotencyRecord>;
  /** Drops answers that nobody can still be waiting for at `now`, epoch milliseconds. */
  forget(now: number): Promise<void>;
}

/** How long an answer is kept for a retry, milliseconds. */
const KEPT = 24 * 3_600_000;

export interface ReplaysOptions {
  readonly database: Database;
  readonly keys: KeyService;
  readonly identities: Identities;
  /** The node's index secret. */
  readonly secret: Buffer;
  readonly random: (length: number) => Buffer;
}

export function createReplays({ database, keys, identities, secret, random }: ReplaysOptions): Replays {
  const tokenKey = deriveKey(secret, 'idempotency');
  const token = (text: string): string => {
    const hex = createHmac('sha256', tokenKey).update(text).digest('hex').slice(0, 32);
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  };
  const tokens = ({ principal }: RequestContext, { key, fingerprint }: IdempotentRequest) => ({
    keyToken: token(JSON.stringify(['key', principal.clientId, key])),
    requestToken: token(JSON.stringify(['request', fingerprint])),
  });

  return {
    forget: (now) => deleteAnswersBefore(database, new Date(now - KEPT).toISOString()),

    async find(context, institution, request) {
      const { keyToken, requestToken } = tokens(context, request);
      const stored = await selectAnswer(database, institution.id, keyToken);
      if (stored === undefined) return undefined;
      if (stored.requestToken !== requestToken) {
        throw new MedSealError('idempotency-mismatch', 'This Idempotency-Key was used for another request');
      }
      const key = await keys.openingKey(envelopeKid(stored.response));
      const { body, ...result } = JSON.parse(openCompact(key, stored.response).toString('utf8')) as InteractionResult;
      return body === undefined ? result : { ...result, body };
    },
    async recorder(context, institution, request) {
      const { keyToken, requestToken } = tokens(context, request);
      const wrapping = await keys.wrappingKey([identities.institutionSubject(institution.name)]);
      const at = new Date(context.instant).toISOString();
      return (result) => {
        const text = JSON.stringify({ ...result, body: result.body?.toString() });
        const sealed = sealCompact(wrapping.key, random(12), protectedHeader({ kid: wrapping.kid }), Buffer.from(text));
        return { institution: institution.id, keyToken, requestToken, response: sealed, at };
      };
    },
  };
}
