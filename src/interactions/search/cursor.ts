import { createHash } from 'node:crypto';
import { MedSealError } from '../../errors.ts';
import type { RequestContext } from '../../request-context.ts';
import { deriveKey } from '../../sealing/identity.ts';
import { openCompact, protectedHeader, sealCompact } from '../../sealing/jwe.ts';

/**
 * Where a page ends and the next begins, sealed: it holds the search itself, so that a link that we generate carries no
 * search value in the clear, and opens only for the client that it was made for.
 */
export interface Cursor {
  /** What the cursor continues, and whose it is. */
  readonly purpose: string;
}

export interface Cursors {
  /** @param purpose such as `search hospital-a/Patient`: a cursor opens for the same purpose only */
  seal(content: object, purpose: string, context: RequestContext): string;
  /** @throws MedSealError `invalid-parameter` */
  open<T extends Cursor>(cursor: string, purpose: string, context: RequestContext): T;
}

/** Characters. */
const PADDED_TO = 256;
const HEADER = protectedHeader({});
/** The same in front of every cursor, so none of them carries it. */
const PREFIX = `${HEADER}..`;

/** @param secret the node's index secret */
export function createCursors(secret: Buffer, random: (length: number) => Buffer): Cursors {
  const key = deriveKey(secret, 'cursors');
  return {
    seal(content, purpose, context) {
      const text = JSON.stringify({ ...content, purpose: bind(purpose, context) });
      // A row's number is in it, whose length would tell how much else there is.
      const plaintext = text.padEnd(Math.ceil(text.length / PADDED_TO) * PADDED_TO);
      return sealCompact(key, random(12), HEADER, Buffer.from(plaintext)).slice(PREFIX.length);
    },
    open<T extends Cursor>(cursor: string, purpose: string, context: RequestContext): T {
      const content = openOr400(() => JSON.parse(openCompact(key, PREFIX + cursor).toString('utf8')) as T);
      if (content.purpose !== bind(purpose, context)) throw invalid();
      return content;
    },
  };
}

/** To the caller and what they may do: a cursor does not carry one token's rights over to another's. */
function bind(purpose: string, { principal }: RequestContext): string {
  const { clientId, user, patient } = principal;
  return createHash('sha256')
    .update(JSON.stringify([purpose, clientId, user ?? null, patient ?? null]))
    .digest('base64url');
}

function openOr400<T>(open: () => T): T {
  try {
    return open();
  } catch (cause) {
    throw invalid(cause);
  }
}

function invalid(cause?: unknown): MedSealError {
  return new MedSealError('invalid-parameter', 'The cursor is not one that this server gave you for this search', {
    cause,
    expression: '_cursor',
  });
}
