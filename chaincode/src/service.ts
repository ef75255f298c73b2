/**
 * The chaincode as a service: peers connect to it. One process serves one organisation's peers.
 * https://hyperledger-fabric.readthedocs.io/en/release-2.5/cc_service.html
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ChaincodeServerOpts, Shim } from 'fabric-shim';
import packageJson from '../package.json' with { type: 'json' };
import { medsealChaincode } from './chaincode.ts';
import { readServiceOptions, type ServiceOptions } from './service-options.ts';

function say(fields: object): void {
  process.stdout.write(`${JSON.stringify({ service: 'medseal-chaincode', ...fields })}\n`);
}

async function serveHealth({ host, port }: NonNullable<ServiceOptions['health']>): Promise<number> {
  const server = createServer((request, response) => {
    const known = request.method === 'GET' && request.url === '/healthz';
    response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' });
    response.end(known ? '{"status":"OK"}' : '{}');
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  return (server.address() as AddressInfo).port;
}

/** Ends the process, so that whatever supervises it starts it again: fabric-shim would log the error and carry on. */
function die(error: unknown): void {
  say({ event: 'failed', error: error instanceof Error ? error.message : String(error) });
  process.exit(1);
}

async function serve(): Promise<void> {
  const { chaincodeId, address, tls, health } = readServiceOptions(process.env);
  // fabric-shim's types ask for tlsProps; its code serves without TLS when they are absent.
  const settings = { ccid: chaincodeId, address, ...(tls && { tlsProps: tls }) } as ChaincodeServerOpts;
  await Shim.server(medsealChaincode(packageJson.version), settings).start();
  const healthPort = health && (await serveHealth(health));
  say({ event: 'listening', address, tls: tls !== undefined, healthPort });
}

process.on('uncaughtException', die);
process.on('unhandledRejection', die);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(0));
await serve().catch(die);
