import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyReply } from 'fastify';
import { notFound } from '../consent/guarded-reader.ts';
import { OPENAPI_FILE } from './openapi.ts';

/** A page and its files, by name. Nothing is loaded from elsewhere. */
interface Page {
  readonly files: Readonly<Record<string, string>>;
  /** What its scripts may connect to. */
  readonly connects: "'self'" | "'none'";
}

const require = createRequire(import.meta.url);
const SWAGGER = dirname(require.resolve('swagger-ui-dist/package.json'));
const here = (folder: string, ...names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, fileURLToPath(new URL(`./${folder}/${name}`, import.meta.url))]));

/** `/docs`: the API, ours and those files of Swagger UI that it needs. */
export const DOCUMENTATION: Page = {
  files: {
    ...here('docs', 'index.html', 'start.js'),
    'swagger-ui.css': join(SWAGGER, 'swagger-ui.css'),
    'swagger-ui-bundle.js': join(SWAGGER, 'swagger-ui-bundle.js'),
    'openapi.json': fileURLToPath(OPENAPI_FILE),
  },
  connects: "'self'",
};

/** `/verify`: whoever was given evidence verifies it in the browser, which may send nothing to anybody. */
export const VERIFICATION: Page = {
  files: here(
    'verify',
    'index.html',
    'page.css',
    'page.js',
    'attachment.js',
    'before.js',
    'bytes.js',
    'der.js',
    'embedded.js',
    'evidence.js',
    'fabric.js',
    'json.js',
    'messages.js',
    'protobuf.js',
    'tree.js',
  ),
  connects: "'none'",
};

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  json: 'application/json; charset=utf-8',
};

function policyOf({ connects }: Page): string {
  const styles = connects === "'none'" ? "'self'" : "'self' 'unsafe-inline'";
  return `default-src 'none'; script-src 'self'; style-src ${styles}; img-src 'self' data:; connect-src ${connects}; form-action 'none'; frame-ancestors 'none'; base-uri 'none'`;
}

/** @throws MedSealError `not-found` */
export async function sendAsset(reply: FastifyReply, page: Page, name: string): Promise<unknown> {
  const file = Object.hasOwn(page.files, name) ? page.files[name] : undefined;
  if (file === undefined) throw notFound();
  reply.headers({
    'Content-Type': TYPES[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream',
    'Content-Security-Policy': policyOf(page),
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
  });
  return reply.send(await readFile(file));
}
