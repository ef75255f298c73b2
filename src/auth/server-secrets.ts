import { randomBytes } from 'node:crypto';
import { exportJWK, generateKeyPair, type JWK } from 'jose';

/** What the authorization server needs and must not lose. It can be kept as JSON; the caller keeps it sealed. */
export interface ServerSecrets {
  /** Private keys that sign what the server says of itself, the newest first. */
  readonly signingKeys: readonly JWK[];
  /** Sign the cookies of interactive logins, the newest first. */
  readonly cookieKeys: readonly string[];
  /** 256 bits, base64url: seals registrations and tokens in the database. */
  readonly sealingKey: string;
}

export async function generateServerSecrets(): Promise<ServerSecrets> {
  // RS256, because OpenID Connect Core 15.1 obliges every client to understand it.
  const { privateKey } = await generateKeyPair('RS256', { extractable: true, modulusLength: 3072 });
  const signingKey = await exportJWK(privateKey);
  return {
    signingKeys: [{ ...signingKey, alg: 'RS256', use: 'sig', kid: randomBytes(8).toString('hex') }],
    cookieKeys: [randomBytes(32).toString('base64url')],
    sealingKey: randomBytes(32).toString('base64url'),
  };
}
