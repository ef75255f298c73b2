import { type KeyObject, X509Certificate } from 'node:crypto';
import { derElements } from './der.ts';
import { isLowS } from './ecdsa.ts';
import type { Authorities } from './roots.ts';

/** Fabric's roles of an organisation's members, told by the certificate's organisational unit (NodeOUs). */
export type Role = 'client' | 'peer' | 'orderer' | 'admin';

/**
 * The key of a member of a pinned organisation, if the certificate is one of such a member, in that role, at that time
 * (epoch milliseconds). Its bytes are in their one form, its issuer's signature included.
 */
export function memberKey(
  authorities: Authorities,
  mspId: string,
  certificate: string | Buffer,
  roles: readonly Role[],
  time: number,
): KeyObject | undefined {
  const read = readCertificate(certificate);
  if (read === undefined || read.ca) return undefined;
  const valid = read.validFromDate.getTime() <= time && time <= read.validToDate.getTime();
  const units = [...read.subject.matchAll(/^OU=(.*)$/gm)].map(([, unit]) => unit);
  const issued = (authorities.get(mspId) ?? []).some((authority) => isIssuedBy(read, authority));
  return valid && issued && roles.some((role) => units.includes(role)) ? read.publicKey : undefined;
}

function readCertificate(certificate: string | Buffer): X509Certificate | undefined {
  try {
    const read = new X509Certificate(certificate);
    const form = typeof certificate === 'string' ? Buffer.from(read.toString()) : read.raw;
    return form.equals(Buffer.from(certificate)) ? read : undefined;
  } catch {
    return undefined; // not a certificate, so nobody's
  }
}

function isIssuedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  const signature = signatureOf(certificate);
  return (
    authority.ca &&
    signature !== undefined &&
    certificate.checkIssued(authority) &&
    certificate.verify(authority.publicKey) &&
    isLowS(authority.publicKey, signature)
  );
}

/**
 * RFC 5280 §4.1: what is signed, the algorithm, and the signature as a BIT STRING, whose first byte counts unused bits.
 * OpenSSL takes any number of them that are zero; there are none.
 */
function signatureOf({ raw }: X509Certificate): Buffer | undefined {
  const [certificate] = derElements(raw);
  const content = derElements(certificate?.content ?? Buffer.of())[2]?.content;
  return content?.[0] === 0 ? content.subarray(1) : undefined;
}
