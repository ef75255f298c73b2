import { readFileSync } from 'node:fs';
import { invariant } from '../errors.ts';

/** The part of openapi.json that the server itself reads: it is the route table. */
export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, ApiOperation>>>>;
}

export interface ApiOperation {
  readonly operationId: string;
  readonly security?: readonly Readonly<Record<string, unknown>>[];
  readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> };
}

export const OPENAPI_FILE = new URL('./openapi.json', import.meta.url);

export function readApiDocument(): ApiDocument {
  return JSON.parse(readFileSync(OPENAPI_FILE, 'utf8')) as ApiDocument;
}

/** Who may call an operation: anybody, a SMART client, or the operator. */
export type Protection = 'public' | 'smart' | 'operator';

/** What stops the boot: an operation that nobody handles, or for which nobody said who may call it. */
export function checkOperations(document: ApiDocument, handlers: ReadonlySet<string>): ReadonlyMap<string, Protection> {
  const protections = new Map<string, Protection>();
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, { operationId, security }] of Object.entries(methods)) {
      const where = `${method.toUpperCase()} ${path}`;
      invariant(operationId !== undefined && !protections.has(operationId), `${where} needs an operationId of its own`);
      invariant(handlers.has(operationId), `${where} (${operationId}) has no handler`);
      protections.set(operationId, protectionOf(security, where));
    }
  }
  const unused = [...handlers].find((handler) => !protections.has(handler));
  invariant(unused === undefined, `the handler ${unused} belongs to no operation`);
  return protections;
}

function protectionOf(security: ApiOperation['security'], where: string): Protection {
  invariant(security !== undefined, `${where} does not say who may call it`);
  if (security.length === 0) return 'public';
  const [scheme] = Object.keys(security[0] ?? {});
  invariant(scheme === 'smart' || scheme === 'operator', `${where} names a security scheme that nobody enforces`);
  return scheme;
}
