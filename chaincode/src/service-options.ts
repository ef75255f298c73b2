import { readFileSync } from 'node:fs';

/** How the service runs, from its environment. */
export interface ServiceOptions {
  /** The package id that the peers know this chaincode by, `label:hash`. */
  readonly chaincodeId: string;
  /** Where peers connect: `host:port`. */
  readonly address: string;
  /** Where `GET /healthz` is answered; undefined: nowhere. */
  readonly health: { readonly host: string; readonly port: number } | undefined;
  readonly tls: { readonly key: Buffer; readonly cert: Buffer; readonly clientCACerts: Buffer } | undefined;
}

/**
 * Reads `CHAINCODE_ID`, `CHAINCODE_SERVER_ADDRESS`, `CHAINCODE_HEALTH_ADDRESS` (optional) and the paths
 * `CHAINCODE_TLS_KEY_FILE`, `CHAINCODE_TLS_CERT_FILE` and `CHAINCODE_TLS_CLIENT_CA_FILE`, all three or none: with them
 * only peers with a certificate of that authority are served.
 *
 * @throws Error that names the variable that is missing or wrong
 */
export function readServiceOptions(env: Readonly<Record<string, string | undefined>>): ServiceOptions {
  const [key, cert, clientCa] = [
    env.CHAINCODE_TLS_KEY_FILE,
    env.CHAINCODE_TLS_CERT_FILE,
    env.CHAINCODE_TLS_CLIENT_CA_FILE,
  ].map((path) => path || undefined);
  if (new Set([key, cert, clientCa].map((path) => path === undefined)).size > 1) {
    throw new Error('CHAINCODE_TLS_KEY_FILE, CHAINCODE_TLS_CERT_FILE and CHAINCODE_TLS_CLIENT_CA_FILE go together');
  }
  const tls =
    key === undefined || cert === undefined || clientCa === undefined
      ? undefined
      : { key: readFileSync(key), cert: readFileSync(cert), clientCACerts: readFileSync(clientCa) };
  return {
    chaincodeId: required(env, 'CHAINCODE_ID'),
    address: required(env, 'CHAINCODE_SERVER_ADDRESS'),
    health: env.CHAINCODE_HEALTH_ADDRESS ? hostAndPort(env.CHAINCODE_HEALTH_ADDRESS) : undefined,
    tls,
  };
}

function required(env: Readonly<Record<string, string | undefined>>, name: string): string {
  const value = env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

function hostAndPort(address: string): { host: string; port: number } {
  const match = /^(.+):([0-9]{1,5})$/.exec(address);
  if (match?.[1] === undefined) throw new Error('CHAINCODE_HEALTH_ADDRESS is not host:port');
  return { host: match[1], port: Number(match[2]) };
}
