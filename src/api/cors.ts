import type { FastifyCorsOptions } from '@fastify/cors';
import type { FastifyRequest } from 'fastify';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
const REQUEST_HEADERS = [
  ...['Authorization', 'Accept', 'Content-Type', 'Prefer', 'Idempotency-Key'],
  ...['If-Match', 'If-None-Match', 'If-Modified-Since', 'If-None-Exist'],
];
const ANSWER_HEADERS = [
  ...['ETag', 'Last-Modified', 'Location', 'Content-Location', 'Retry-After', 'WWW-Authenticate'],
  ...['X-Request-Id', 'MedSeal-Receipt'],
];
/** Seconds that a browser may keep the answer to a preflight. */
const MAX_AGE = 600;

/** What an app must read before it knows where to get a token from. */
const DISCOVERY = /\/fhir\/(?:metadata|\.well-known\/smart-configuration)$/;

/**
 * Which pages of other origins may talk to the server from a browser
 * (https://hl7.org/fhir/smart-app-launch/app-launch.html#considerations-for-cross-origin-resource-sharing-cors-support):
 * discovery is for all, the rest for the origins that the operator names. Never with credentials of the browser's own.
 *
 * @param origins such as `https://app.example.org`, or `*` alone for all
 */
export function corsOptions(origins: readonly string[], request: FastifyRequest): FastifyCorsOptions {
  const { url = '' } = request.routeOptions;
  // A request that merely asks for the methods is answered by its route.
  const isBare = request.method === 'OPTIONS' && request.headers['access-control-request-method'] === undefined;
  // The authorization server answers for itself.
  if (isBare || url.startsWith('/auth/')) return { origin: false };
  return {
    origin: DISCOVERY.test(url) || origins.includes('*') ? '*' : ownOrigin(origins, request),
    methods: METHODS,
    allowedHeaders: REQUEST_HEADERS,
    exposedHeaders: ANSWER_HEADERS,
    maxAge: MAX_AGE,
  };
}

/** The request's own origin where it is one of those. */
function ownOrigin(origins: readonly string[], { headers }: FastifyRequest): string | false {
  return headers.origin !== undefined && origins.includes(headers.origin) ? headers.origin : false;
}
