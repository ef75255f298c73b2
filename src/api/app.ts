import { randomUUID } from 'node:crypto';
import type { RequestListener, Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import cors from '@fastify/cors';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import openapiGlue, { type FastifyOpenapiGlueOptions } from 'fastify-openapi-glue';
import type { AuthorizationServer } from '../auth/server.ts';
import { MedSealError } from '../errors.ts';
import type { InteractionResult } from '../interactions/result.ts';
import type { Logger } from '../logger.ts';
import { answerClientError } from './client-errors.ts';
import { compress } from './compression.ts';
import { corsOptions } from './cors.ts';
import { asMedSealError, errorResult, sendResult } from './http-result.ts';
import type { Metrics } from './metrics.ts';
import { OPENAPI_FILE, type Protection, readApiDocument } from './openapi.ts';
import { prettyJson } from './pretty.ts';
import { createResolver, type ResolverOptions } from './resolver.ts';

export interface AppOptions extends ResolverOptions {
  /** Already listening: the public URL is known before anything is made with it. */
  readonly server: Server;
  readonly authorization: AuthorizationServer | undefined;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Origins of pages that may use the API from a browser; `*` for all. */
  readonly corsOrigins: readonly string[];
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** operationId of openapi.json; the only name of a request that is logged or measured. */
    operation?: string;
    protection?: Protection;
  }
}

/** A type, an id, an operation and their separators; longer paths name nothing here. */
const MAX_PARAMETER_LENGTH = 1024;

/**
 * The HTTP face: routes come from openapi.json alone, bound by fastify-openapi-glue. The boot fails when an operation
 * lacks a handler or a security rule.
 */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const { server, authorization, logger, metrics } = options;
  const app = Fastify({
    serverFactory: (handler: RequestListener) => server.on('request', handler),
    logger: false,
    genReqId: () => randomUUID(),
    bodyLimit: options.bodyLimit,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PARAMETER_LENGTH },
    frameworkErrors: (error, _request, reply) => void sendError(reply, error),
    clientErrorHandler: answerClientError,
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  // Interactions check what they take themselves, and say what is wrong in FHIR's terms.
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (data) => String(data));

  app.addHook('onRequest', async (request, reply) => void reply.header('X-Request-Id', request.id));
  await app.register(cors, {
    delegator: (request: FastifyRequest, done) => done(null, corsOptions(options.corsOrigins, request)),
  });
  app.addHook('onSend', async (request, reply, payload) => compress(request, reply, laidOut(request, reply, payload)));
  app.addHook('onResponse', async (request, reply) => observe(request, reply, logger, metrics));
  app.setErrorHandler((error, request, reply) => {
    const known = asMedSealError(error);
    if (known.status >= 500) logger.error({ err: error, requestId: request.id, code: known.code }, 'a request failed');
    return sendResult(reply, errorResult(known), '');
  });
  app.setNotFoundHandler((_request, reply) => sendResult(reply, errorResult(noRoute()), ''));

  const document = readApiDocument();
  const resolver = createResolver(document, options);
  await app.register(openapiGlue, {
    specification: fileURLToPath(OPENAPI_FILE),
    // Its type asks for method and url too, which it sets itself.
    operationResolver: resolver.resolve as unknown as NonNullable<FastifyOpenapiGlueOptions['operationResolver']>,
  });
  for (const { url, methods, allow } of resolver.refusedMethods()) {
    app.route({
      method: 'OPTIONS',
      url,
      handler: (_request, reply) => reply.status(204).header('Allow', allow).send(),
    });
    app.route({
      method: methods,
      url,
      handler: (_request, reply) => sendResult(reply.header('Allow', allow), methodRefused(), ''),
    });
  }
  if (authorization !== undefined) mountAuthorization(app, authorization);
  await app.ready();
  return app;
}

/** oidc-provider reads bodies itself, so it takes over before any parser. */
function mountAuthorization(app: FastifyInstance, authorization: AuthorizationServer): void {
  app.all('/auth/*', {
    config: { operation: 'authorization' },
    onRequest: (request: FastifyRequest, reply: FastifyReply) => {
      reply.hijack();
      authorization.handler(request.raw, reply.raw);
    },
    handler: () => undefined,
  });
}

/** Nobody reads more than that; laying it out takes several times its size in memory. */
const MAX_PRETTY = 2 * 1024 * 1024;

/** http://hl7.org/fhir/R4/http.html#pretty, whatever the answer is. */
function laidOut(request: FastifyRequest, reply: FastifyReply, payload: unknown): unknown {
  const { _pretty: pretty } = (request.query ?? {}) as { readonly _pretty?: unknown };
  if (pretty !== 'true' || !String(reply.getHeader('Content-Type')).startsWith('application/fhir+json')) return payload;
  if (typeof payload !== 'string' && !Buffer.isBuffer(payload)) return payload;
  return payload.length > MAX_PRETTY ? payload : prettyJson(payload.toString());
}

function sendError(reply: FastifyReply, error: unknown): FastifyReply {
  return sendResult(reply, errorResult(asMedSealError(error)), '');
}

function observe(request: FastifyRequest, reply: FastifyReply, logger: Logger, metrics: Metrics): void {
  const operation = request.routeOptions.config.operation ?? 'none';
  metrics.observeRequest(operation, reply.statusCode, reply.elapsedTime / 1000);
  const ms = Math.round(reply.elapsedTime * 10) / 10;
  logger.debug({ requestId: request.id, operation, status: reply.statusCode, ms }, 'answered');
}

function noRoute(): MedSealError {
  return new MedSealError('not-supported', 'There is nothing at this path');
}

function methodRefused(): InteractionResult {
  return errorResult(new MedSealError('method-not-allowed', 'This path does not take this method; see Allow'));
}
