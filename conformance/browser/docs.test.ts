/** `/docs` in a real browser: it shows the whole API, by itself, with nothing from elsewhere. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { browserAbsent, openBrowser } from '../support/browser.ts';
import { startTestNode } from '../support/test-node.ts';

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly summary?: string }>>>>;
}

const METHODS = ['get', 'post', 'put', 'delete', 'patch', 'head'];

test('/docs shows every operation, without an error and without a request to elsewhere', {
  skip: browserAbsent,
}, async (t) => {
  const node = await startTestNode(t);
  const browser = await openBrowser(t);
  const page = await browser.newPage();
  const seen = watch(page);
  await page.goto(`${node.url}/docs`);
  await page.waitForSelector('.opblock');

  const operations = operationsOf(
    JSON.parse(readFileSync(new URL('../../src/api/openapi.json', import.meta.url), 'utf8')) as OpenApi,
  );
  const shown = await page.$$eval('.opblock', (blocks) =>
    blocks.map((block) => {
      const text = (part: string) => block.querySelector(part)?.textContent?.replaceAll('\u200b', '').trim() ?? '';
      return `${text('.opblock-summary-method').toLowerCase()} ${text('.opblock-summary-path')}`;
    }),
  );
  assert.deepEqual(shown.toSorted(), operations.toSorted());

  await page.click('.opblock-summary-control');
  await page.waitForSelector('.opblock.is-open .responses-wrapper');
  assert.match(await page.title(), /MedSeal/);
  assert.deepEqual(seen.errors, []);
  assert.ok(seen.requests.length >= 5, 'the page, its style, its scripts, the API');
  const elsewhere = seen.requests.filter((url) => !url.startsWith(`${node.url}/`) && !url.startsWith('data:'));
  assert.deepEqual(elsewhere, []);
});

/** What the page asks for and complains of from now on. */
function watch(page: Page): { readonly errors: readonly string[]; readonly requests: readonly string[] } {
  const errors: string[] = [];
  const requests: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('requestfailed', (request) => errors.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text());
  });
  page.on('response', (response) => {
    if (response.status() >= 400) errors.push(`${response.status()} ${response.url()}`);
  });
  return { errors, requests };
}

function operationsOf({ paths }: OpenApi): readonly string[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item)
      .filter((method) => METHODS.includes(method))
      .map((method) => `${method} ${path}`),
  );
}
