import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROLE_ATTRIBUTE, WRITER_ROLE } from 'medseal-chaincode/rules';
import { LOOPBACK } from './addresses.ts';
import type { Layout } from './layout.ts';
import type { Organisation } from './organisations.ts';
import { type CertificateRequest, issue, keyPem, readCredential } from './x509.ts';

/**
 * What cryptogen does not make of an organisation: the certificate of the institution's server, with the role that the
 * contracts want; one without it, which can only read; and that of the chaincode service, for TLS.
 */
export function issueCredentials(organisation: Organisation, files: Layout): void {
  const { domain } = organisation;
  const folder = files.client(organisation);
  mkdirSync(folder, { recursive: true });
  const write = (name: string, request: CertificateRequest, authority: { certificate: string; key: string }) => {
    const issuer = readCredential(readFileSync(authority.certificate), readFileSync(authority.key));
    const { certificate, key } = issue(request, issuer);
    writeFileSync(join(folder, `${name}-certificate.pem`), certificate.toString());
    writeFileSync(join(folder, `${name}-key.pem`), keyPem(key), { mode: 0o600 });
  };
  const attributes = { [ROLE_ATTRIBUTE]: WRITER_ROLE };
  write('client', { commonName: `medseal@${domain}`, unit: 'client', attributes }, files.authority(organisation));
  write('reader', { commonName: `reader@${domain}`, unit: 'client' }, files.authority(organisation));
  const hosts = [`chaincode.${domain}`, 'localhost', LOOPBACK];
  write('chaincode', { commonName: `chaincode.${domain}`, hosts }, files.tlsAuthority(organisation));
}
