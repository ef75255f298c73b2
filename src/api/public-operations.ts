import type { FastifyReply, FastifyRequest } from 'fastify';
import { notFound } from '../consent/guarded-reader.ts';
import { capabilities } from '../interactions/capabilities.ts';
import type { Services } from '../interactions/services.ts';
import { DOCUMENTATION, sendAsset, VERIFICATION } from './assets.ts';
import { sendResult } from './http-result.ts';
import type { Metrics } from './metrics.ts';
import { requireAcceptable } from './negotiation.ts';

/** What anybody may ask. */
export interface PublicContext {
  readonly services: Services;
  readonly metrics: Metrics;
  readonly version: string;
  readonly smartConfiguration: () => Promise<object>;
  /** State of each part; `ready` only when requests can be served. */
  readonly readiness: () => Promise<{ readonly ready: boolean } & Readonly<Record<string, unknown>>>;
}

type PublicOperation = (context: PublicContext, request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

const statement: PublicOperation = async ({ services, version }, request, reply) => {
  requireAcceptable(request);
  const institution = requestedInstitution(services, request);
  const body = JSON.stringify(capabilities(services, institution, version));
  return sendResult(reply, { status: 200, body }, services.publicUrl);
};

const smart: PublicOperation = async ({ services, smartConfiguration }, request, reply) => {
  requestedInstitution(services, request);
  return sendJson(reply, 200, await smartConfiguration());
};

/** By operationId. */
export const PUBLIC_OPERATIONS: Readonly<Record<string, PublicOperation>> = {
  health: async (_context, _request, reply) => sendJson(reply, 200, { status: 'up' }),
  async ready({ readiness }, _request, reply) {
    const state = await readiness();
    return sendJson(reply, state.ready ? 200 : 503, state);
  },
  async metrics({ metrics }, _request, reply) {
    return reply.header('Content-Type', metrics.registry.contentType).send(await metrics.scrape());
  },
  capabilities: statement,
  unionCapabilities: statement,
  smartConfiguration: smart,
  unionSmartConfiguration: smart,
  docs: async (_context, _request, reply) => sendAsset(reply, DOCUMENTATION, 'index.html'),
  docsAsset: async (_context, request, reply) => sendAsset(reply, DOCUMENTATION, assetOf(request)),
  verification: async (_context, _request, reply) => sendAsset(reply, VERIFICATION, 'index.html'),
  verificationAsset: async (_context, request, reply) => sendAsset(reply, VERIFICATION, assetOf(request)),
};

function assetOf(request: FastifyRequest): string {
  return (request.params as { asset: string }).asset;
}

/** undefined at the union. @throws MedSealError `not-found` */
function requestedInstitution({ institutions }: Services, request: FastifyRequest): string | undefined {
  const { institution } = request.params as { institution?: string };
  if (institution !== undefined && institutions.find(institution)?.guest !== false) throw notFound();
  return institution;
}

function sendJson(reply: FastifyReply, status: number, value: object): FastifyReply {
  return reply
    .status(status)
    .headers({ 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' })
    .send(JSON.stringify(value));
}
