import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { announceServer, pinRoots, withdrawServer } from './cli/data-directory.ts';
import { ensureOperator } from './cli/operator.ts';
import { parseOptions } from './cli/usage.ts';
import { compose, type Node } from './compose.ts';
import { type Config, readConfig } from './config.ts';
import { setUpDemo } from './demo/demo.ts';
import { MedSealError } from './errors.ts';
import type { Logger } from './logger.ts';
import { createPinoLogger } from './pino-logger.ts';
import { readVersion } from './version.ts';

/** How long requests under way may take to end after SIGTERM, milliseconds. */
const GRACE = 3000;

/** `medseal serve [--demo]`: start, signals, graceful stop. */
export async function serve(args: readonly string[]): Promise<void> {
  const { values } = parseOptions(args, { demo: { type: 'boolean', default: false } }, 0);
  let config: Config;
  try {
    config = readConfig();
  } catch (error) {
    if (!(error instanceof MedSealError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
    return;
  }
  const logger = createPinoLogger(config.logLevel);
  try {
    await run(config, logger, values.demo);
    process.exit(0);
  } catch (error) {
    logger.error({ err: error }, 'the server could not start');
    process.stderr.write(`medseal: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}

async function run(config: Config, logger: Logger, demo: boolean): Promise<void> {
  const server = await listen(config);
  const { port } = server.address() as AddressInfo;
  const origin = `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`;
  let setUp = false;
  const stopSignal = awaitStopSignal();
  const stopping = new AbortController();
  mkdirSync(config.dataDirectory, { recursive: true });
  const publicUrl = config.publicUrl ?? origin;
  const node = await compose({
    config,
    logger,
    server,
    publicUrl,
    version: readVersion(),
    onRoots: (roots) => pinRoots(config.dataDirectory, roots),
    isSetUp: () => setUp,
  });
  try {
    server.off('request', refuseUntilReady);
    await ensureOperator(config.dataDirectory, node.administration.clients);
    const address = { url: origin, publicUrl, pid: process.pid };
    const demonstration = demo
      ? await setUpDemo({ directory: config.dataDirectory, address }, node.administration)
      : undefined;
    announceServer(config.dataDirectory, address);
    setUp = true;
    process.stdout.write(`ready ${origin}\n`);
    if (node.administration.institutions.all().length === 0) {
      logger.info({}, 'no institution yet: npx medseal institution add ID');
    }
    demonstration?.run(process.stdout, stopping.signal).catch((error: unknown) => {
      logger.error({ err: error }, 'the demonstration ended early');
    });
    await stopSignal;
    stopping.abort();
  } finally {
    withdrawServer(config.dataDirectory);
    await shutDown(server, node);
  }
}

/** Listens at once, so that the port, and with it the public URL, is known before anything is made. */
async function listen({ host, port }: Config): Promise<Server> {
  const server = createServer({ keepAliveTimeout: 65_000, requestTimeout: 120_000 });
  server.on('request', refuseUntilReady);
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}

function refuseUntilReady(_request: unknown, response: ServerResponse): void {
  const issue = [{ severity: 'error', code: 'transient', diagnostics: 'The server is starting' }];
  response.writeHead(503, { 'Content-Type': 'application/fhir+json; charset=utf-8', 'Retry-After': '1' });
  response.end(JSON.stringify({ resourceType: 'OperationOutcome', issue }));
}

/** The first SIGTERM or SIGINT; npm and a terminal may send it twice. */
function awaitStopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve());
  });
}

async function shutDown(server: Server, node: Node): Promise<void> {
  server.close();
  server.closeIdleConnections();
  const deadline = setTimeout(() => server.closeAllConnections(), GRACE);
  await new Promise<void>((resolve) => {
    server.listening ? server.once('close', resolve) : resolve();
  });
  clearTimeout(deadline);
  await node.close();
}
