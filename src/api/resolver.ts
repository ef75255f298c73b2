import type { FastifyReply, FastifyRequest, HTTPMethods, RouteShorthandOptionsWithHandler } from 'fastify';
import type { Authenticator } from '../auth/authenticate.ts';
import { challenge } from '../auth/authenticate.ts';
import type { AccessRecorder } from '../consent/access-recorder.ts';
import type { ActingAs } from '../consent/acting-as.ts';
import { notFound } from '../consent/guarded-reader.ts';
import { MedSealError } from '../errors.ts';
import type { InteractionResult } from '../interactions/result.ts';
import { createPatience, type SearchLimits } from '../interactions/search/patience.ts';
import type { Services } from '../interactions/services.ts';
import type { Logger } from '../logger.ts';
import type { Clock } from '../repository/clock.ts';
import { type Asked, type Base, createJournal, type Principal, type RequestContext } from '../request-context.ts';
import { ADMIN_OPERATIONS, type Administration } from './admin-operations.ts';
import type { BodyBudget } from './body-budget.ts';
import { fhirInput, queryOf } from './fhir-input.ts';
import type { FhirOperation } from './fhir-operation.ts';
import { FHIR_OPERATIONS } from './fhir-operations.ts';
import { asMedSealError, errorResult, sendLines, sendResult } from './http-result.ts';
import { requireAcceptable, requireContentType } from './negotiation.ts';
import { type ApiDocument, checkOperations } from './openapi.ts';
import { PUBLIC_OPERATIONS, type PublicContext } from './public-operations.ts';

export interface ResolverOptions {
  readonly services: Services;
  readonly administration: Administration;
  readonly publicContext: PublicContext;
  readonly authenticator: Authenticator;
  readonly actingAs: ActingAs;
  readonly recorder: AccessRecorder;
  readonly clock: Clock;
  readonly budget: BodyBudget;
  readonly bodyLimit: number;
  readonly searchLimits: SearchLimits;
  readonly logger: Logger;
}

type Route = RouteShorthandOptionsWithHandler;

export interface Resolver {
  /** For fastify-openapi-glue. */
  resolve(operationId: string, method: string, path: string): Route;
  /** What each path of the document does not take. */
  refusedMethods(): readonly { readonly url: string; readonly methods: HTTPMethods[]; readonly allow: string }[];
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** Turns each operation of openapi.json into a route. @throws MedSealError `internal` for a gap: the boot must fail */
export function createResolver(document: ApiDocument, options: ResolverOptions): Resolver {
  const handlers = [FHIR_OPERATIONS, ADMIN_OPERATIONS, PUBLIC_OPERATIONS].flatMap((table) => Object.keys(table));
  const protections = checkOperations(document, new Set(handlers));
  return {
    resolve(operationId) {
      const fhir = FHIR_OPERATIONS[operationId];
      if (fhir !== undefined) return withConfig(operationId, fhirRoute(fhir, options));
      const administration = ADMIN_OPERATIONS[operationId];
      const protection = protections.get(operationId);
      if (administration !== undefined && protection === 'operator') {
        return withConfig(operationId, adminRoute(operationId, options));
      }
      const open = PUBLIC_OPERATIONS[operationId];
      if (open !== undefined && protection === 'public') {
        return withConfig(operationId, { handler: (request, reply) => open(options.publicContext, request, reply) });
      }
      throw new MedSealError('internal', `The operation ${operationId} is not protected as its handler needs`);
    },
    refusedMethods: () =>
      Object.entries(document.paths).map(([path, operations]) => {
        const taken = Object.keys(operations).map((method) => method.toUpperCase());
        return {
          url: path.replaceAll(/\{([^}]+)\}/g, ':$1'),
          methods: METHODS.filter((method) => !taken.includes(method)),
          allow: [...taken, ...(taken.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', '),
        };
      }),
  };
}

function withConfig(operation: string, route: Route): Route {
  return { ...route, config: { ...route.config, operation } };
}

/** What authentication found out, kept beside the request until its handler runs. */
const principals = new WeakMap<FastifyRequest, Principal>();

function fhirRoute(operation: FhirOperation, options: ResolverOptions): Route {
  return {
    onRequest: async (request, reply) => {
      await authenticate(request, reply, options);
      requireAcceptable(request);
      if (operation.body !== undefined) {
        requireContentType(request.headers['content-type'], operation.body);
        reserveBody(request, reply, options);
      }
    },
    handler: (request, reply) => runFhir(operation, request, reply, options),
    // What is refused by its headers or while its body arrives is a request that was made all the same.
    errorHandler: async (error, request, reply) => {
      const result = failed(error, request, options);
      if (!principals.has(request)) return sendResult(reply, result, '');
      return answer(reply, options, contextOf(operation, request, options), result);
    },
  };
}

async function authenticate(request: FastifyRequest, reply: FastifyReply, { authenticator }: ResolverOptions) {
  try {
    principals.set(request, await authenticator.authenticate(request.headers.authorization));
  } catch (error) {
    if (error instanceof MedSealError && error.status === 401) reply.header('WWW-Authenticate', challenge(error));
    throw error;
  }
}

const SMALL_BODY = 128 * 1024;

function reserveBody(request: FastifyRequest, reply: FastifyReply, { budget, bodyLimit }: ResolverOptions): void {
  const announced = Number(request.headers['content-length'] ?? bodyLimit);
  if (announced > bodyLimit) throw new MedSealError('body-too-large', `A body has at most ${bodyLimit} bytes here`);
  // Small ones never wait for large ones.
  if (announced > SMALL_BODY) reply.raw.once('close', budget.reserve(announced));
}

async function runFhir(
  operation: FhirOperation,
  request: FastifyRequest,
  reply: FastifyReply,
  options: ResolverOptions,
): Promise<FastifyReply> {
  const { services } = options;
  let context = contextOf(operation, request, options);
  let result: InteractionResult;
  const patience = createPatience(options.searchLimits);
  try {
    const actingAs = await options.actingAs.resolve(context.principal, context.instant);
    context = { ...context, actingAs, patience };
    requireBase(context.base, services);
    result = await operation.run(services, context, fhirInput(request));
  } catch (error) {
    result = failed(error, request, options);
  } finally {
    patience.end();
  }
  return answer(reply, options, context, result);
}

function failed(error: unknown, request: FastifyRequest, { logger }: ResolverOptions): InteractionResult {
  const known = asMedSealError(error);
  if (known.status >= 500) logger.error({ err: error, requestId: request.id, code: known.code }, 'a request failed');
  return errorResult(known);
}

/** Durable in the access log before anything leaves: an answer that cannot be recorded is not given. */
async function answer(
  reply: FastifyReply,
  { recorder, services }: ResolverOptions,
  context: RequestContext,
  result: InteractionResult,
): Promise<FastifyReply> {
  await recorder.record(context, result.status);
  return sendResult(reply, result, baseUrl(context.base, services.publicUrl));
}

function contextOf(operation: FhirOperation, request: FastifyRequest, { clock }: ResolverOptions): RequestContext {
  const principal = principals.get(request);
  if (principal === undefined) throw new MedSealError('internal', 'A request came past authentication');
  const { institution } = request.params as { institution?: string };
  const base: Base = institution === undefined ? { kind: 'union' } : { kind: 'institution', institution };
  const asked = askedOf(operation, request);
  return { requestId: String(request.id), principal, base, instant: clock.now(), asked, journal: createJournal() };
}

function askedOf({ interaction, body }: FhirOperation, request: FastifyRequest): Asked {
  const { type = '', id = '', member = '' } = request.params as Readonly<Record<string, string>>;
  const posted = body === 'form' && request.body instanceof Buffer ? [request.body.toString('utf8')] : [];
  return {
    interaction,
    target: [type, id, member].filter((part) => part !== '').join('/'),
    query: [queryOf(request), ...posted].filter((part) => part !== '').join('&'),
  };
}

function requireBase(base: Base, { institutions }: Services): void {
  if (base.kind === 'institution' && institutions.find(base.institution)?.guest !== false) throw notFound();
}

function baseUrl(base: Base, publicUrl: string): string {
  return base.kind === 'union' ? `${publicUrl}/fhir` : `${publicUrl}/${base.institution}/fhir`;
}

function adminRoute(operationId: string, options: ResolverOptions): Route {
  return {
    onRequest: async (request, reply) => {
      await authenticate(request, reply, options);
      if (principals.get(request)?.administrator !== true) {
        throw new MedSealError('forbidden', 'This is for the operator only');
      }
    },
    handler: async (request, reply) => {
      const run = ADMIN_OPERATIONS[operationId];
      if (run === undefined) throw new MedSealError('internal', 'An operation lost its handler');
      const { client = '', id = '' } = request.params as { client?: string; id?: string };
      // PostgreSQL has no text with it, so nothing is named like that.
      if (`${client}${id}`.includes('\0')) throw notFound();
      const body = request.body instanceof Buffer && request.body.length > 0 ? fhirInput(request).json() : undefined;
      const by = principals.get(request)?.clientId ?? '';
      const result = await run(options.administration, { body, client, by, id });
      if ('lines' in result) return sendLines(reply, result.lines);
      return sendResult(reply, result, options.services.publicUrl);
    },
  };
}
