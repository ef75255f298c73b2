import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { JWK } from 'jose';
import { LRUCache } from 'lru-cache';
import { emptyRoot, nodeHash } from 'medseal-chaincode/rules';
import { canonicalJson } from '../fhir/json/canonical.ts';
import type { KeyService } from '../sealing/key-service.ts';

/**
 * The promise to include leaves in an institution's log of records, as a certificate-transparency SCT: a compact JWS
 * (RFC 7515, EdDSA) over the RFC 9162 tree head of the request's own leaves, in entry order.
 */
export interface ReceiptSigner {
  /** @param time RFC 3339 */
  sign(institution: string, leaves: readonly Uint8Array[], time: string): Promise<string>;
  /** JWK of the institution's receipt key. */
  publicKey(institution: string): Promise<JWK>;
}

const RECEIPT_FORMAT = 'medseal/receipt/1';

export function createReceiptSigner(keys: KeyService): ReceiptSigner {
  const cache = new LRUCache<string, Promise<KeyObject>>({ max: 1000 });
  const keyOf = (institution: string): Promise<KeyObject> => {
    const known = cache.get(institution);
    if (known !== undefined) return known;
    const loading = keys
      .secret(`receipts ${institution}`, newKey)
      .then((der) => createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
    cache.set(institution, loading);
    loading.catch(() => cache.delete(institution));
    return loading;
  };
  return {
    async sign(institution, leaves, time) {
      const key = await keyOf(institution);
      const payload = canonicalJson({
        format: RECEIPT_FORMAT,
        institution,
        log: 'records',
        root: Buffer.from(treeHead(leaves)).toString('base64url'),
        size: leaves.length,
        time,
      });
      const input = `${HEADER}.${Buffer.from(payload).toString('base64url')}`;
      return `${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`;
    },
    async publicKey(institution) {
      return createPublicKey(await keyOf(institution)).export({ format: 'jwk' }) as JWK;
    },
  };
}

const HEADER = Buffer.from(JSON.stringify({ alg: 'EdDSA' })).toString('base64url');

function newKey(): Buffer {
  return generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' });
}

/** RFC 9162 §2.1.1 over leaf hashes. */
function treeHead(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves;
  if (only === undefined) return emptyRoot();
  if (leaves.length === 1) return only;
  const split = 2 ** (Math.ceil(Math.log2(leaves.length)) - 1);
  return nodeHash(treeHead(leaves.slice(0, split)), treeHead(leaves.slice(split)));
}
