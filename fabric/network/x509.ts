import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import { DER, der, derElements, derInteger } from '../../src/trail/ledger/fabric/der.ts';
import { halfOrder } from '../../src/trail/ledger/fabric/ecdsa.ts';

/**
 * Certificates that cryptogen does not make: clients with an attribute, and the chaincode services' for TLS. In a real
 * consortium Fabric CA issues them. RFC 5280; P-256 keys, ECDSA with SHA-256.
 */
export interface CertificateRequest {
  readonly commonName: string;
  /** Fabric's role of whom it names (NodeOUs): `client`, `peer`, `orderer`, `admin`. */
  readonly unit?: string;
  /** Certificate attributes, as Fabric CA writes them. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** For TLS, by either side: DNS names and IPv4 addresses. */
  readonly hosts?: readonly string[];
  /** It may issue others. */
  readonly isAuthority?: boolean;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

export interface Credential {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

const DAY = 86_400_000;
const ECDSA_WITH_SHA256 = der(DER.SEQUENCE, oid('1.2.840.10045.4.3.2'));

/** Issues a certificate for a fresh key. Without an issuer it is self-signed. */
export function issue(request: CertificateRequest, issuer?: Credential): Credential {
  const { privateKey: key, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const signer = issuer?.key ?? key;
  const subject = nameOf(request);
  const notBefore = request.notBefore ?? new Date(Date.now() - 60_000);
  const notAfter = request.notAfter ?? new Date(Date.now() + 3650 * DAY);
  const toBeSigned = der(
    DER.SEQUENCE,
    der(0xa0, derInteger(2n)),
    derInteger(BigInt(`0x01${randomBytes(15).toString('hex')}`)),
    ECDSA_WITH_SHA256,
    issuer === undefined ? subject : subjectOf(issuer.certificate),
    der(DER.SEQUENCE, time(notBefore), time(notAfter)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(DER.SEQUENCE, ...extensionsOf(request))),
  );
  const signature = der(DER.BIT_STRING, Buffer.of(0), signLowS(signer, toBeSigned));
  return { certificate: new X509Certificate(der(DER.SEQUENCE, toBeSigned, ECDSA_WITH_SHA256, signature)), key };
}

/** ECDSA over SHA-256 in DER, in the form that Fabric accepts. */
export function signLowS(key: KeyObject, message: Uint8Array): Buffer {
  const half = halfOrder(key);
  const plain = sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' }).toString('hex');
  const [r, s] = [plain.slice(0, plain.length / 2), plain.slice(plain.length / 2)].map((part) => BigInt(`0x${part}`));
  if (r === undefined || s === undefined) throw new Error('not a signature');
  // 2·half + 1 is the curve's order, which is odd.
  return der(DER.SEQUENCE, derInteger(r), derInteger(s > half ? 2n * half + 1n - s : s));
}

export function readCredential(certificatePem: string | Buffer, keyPem: string | Buffer): Credential {
  return { certificate: new X509Certificate(certificatePem), key: createPrivateKey(keyPem) };
}

export function keyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function extensionsOf({ attributes, hosts, isAuthority = false }: CertificateRequest): readonly Buffer[] {
  // keyCertSign and cRLSign, or digitalSignature.
  const usage = isAuthority ? Buffer.of(1, 0x06) : Buffer.of(7, 0x80);
  const always = [
    extension('2.5.29.15', der(DER.BIT_STRING, usage), true),
    extension('2.5.29.19', der(DER.SEQUENCE, ...(isAuthority ? [der(DER.BOOLEAN, Buffer.of(0xff))] : [])), true),
  ];
  const forTls = hosts && [
    extension('2.5.29.37', der(DER.SEQUENCE, oid('1.3.6.1.5.5.7.3.1'), oid('1.3.6.1.5.5.7.3.2'))),
    extension('2.5.29.17', der(DER.SEQUENCE, ...hosts.map(generalName))),
  ];
  // https://hyperledger-fabric-ca.readthedocs.io/en/latest/users-guide.html#attribute-based-access-control
  const ofFabric = attributes && [extension('1.2.3.4.5.6.7.8.1', Buffer.from(JSON.stringify({ attrs: attributes })))];
  return [...always, ...(forTls ?? []), ...(ofFabric ?? [])];
}

function extension(id: string, value: Uint8Array, critical = false): Buffer {
  const flag = critical ? [der(DER.BOOLEAN, Buffer.of(0xff))] : [];
  return der(DER.SEQUENCE, oid(id), ...flag, der(DER.OCTET_STRING, value));
}

function generalName(host: string): Buffer {
  const numbers = /^(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(host)?.slice(1).map(Number);
  return numbers === undefined ? der(0x82, Buffer.from(host)) : der(0x87, Buffer.from(numbers));
}

function nameOf({ commonName, unit }: CertificateRequest): Buffer {
  const part = (id: string, value: string) =>
    der(DER.SET, der(DER.SEQUENCE, oid(id), der(DER.UTF8_STRING, Buffer.from(value))));
  const units = unit === undefined ? [] : [part('2.5.4.11', unit)];
  return der(DER.SEQUENCE, ...units, part('2.5.4.3', commonName));
}

/** The subject of a certificate as its own bytes have it. RFC 5280 §4.1: version, serial, algorithm, issuer, validity. */
function subjectOf({ raw }: X509Certificate): Buffer {
  const [toBeSigned] = derElements(derElements(raw)[0]?.content ?? Buffer.of());
  const subject = derElements(toBeSigned?.content ?? Buffer.of())[5];
  if (subject === undefined) throw new RangeError('not a certificate');
  return subject.bytes;
}

function time(date: Date): Buffer {
  const digits = date.toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  // RFC 5280 §4.1.2.5: UTCTime through the year 2049.
  return date.getUTCFullYear() < 2050
    ? der(0x17, Buffer.from(digits.slice(2)))
    : der(DER.GENERALIZED_TIME, Buffer.from(digits));
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return der(DER.OBJECT_IDENTIFIER, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

function base128(value: number): number[] {
  const bytes = [value & 0x7f];
  for (let rest = value >> 7; rest > 0; rest >>= 7) bytes.unshift((rest & 0x7f) | 0x80);
  return bytes;
}
