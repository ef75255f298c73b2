import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Bundle, OperationOutcome, Resource } from '@medplum/fhirtypes';
import type { Answer, FhirClient } from '../support/fhir-client.ts';

/** Resources of one test, apart from whatever else the server holds: by a tag, and a system for identifiers. */
export interface Scope {
  readonly tag: { readonly system: string; readonly code: string };
  /** `_tag=…`, for searches. */
  readonly query: string;
  readonly system: string;
  /** Creates a resource that bears the tag, and answers with it as the server gave it back. */
  create<R extends Resource>(resource: R): Promise<R & { id: string }>;
}

export function newScope(client: FhirClient): Scope {
  const tag = { system: 'urn:medseal:test', code: randomUUID() };
  return {
    tag,
    query: `_tag=${tag.system}|${tag.code}`,
    system: `urn:medseal:test:${tag.code}`,
    async create<R extends Resource>(resource: R) {
      const tagged = { ...resource, meta: { ...resource.meta, tag: [...(resource.meta?.tag ?? []), tag] } };
      return created<R>(await client.post(resource.resourceType, tagged));
    },
  };
}

/** @throws unless the answer is a resource that was created */
export function created<R extends Resource>(answer: Answer): R & { id: string } {
  assert.equal(answer.status, 201, answer.text);
  return answer.json<R & { id: string }>();
}

/** @throws unless the answer is a resource */
export function shown<R extends Resource>(answer: Answer): R & { id: string } {
  assert.equal(answer.status, 200, answer.text);
  return answer.json<R & { id: string }>();
}

/** The entries of a Bundle that was answered. */
export function entries(answer: Answer): NonNullable<Bundle['entry']> {
  return shown<Bundle>(answer).entry ?? [];
}

/** The ids of what a Bundle shows, in order, without what the server has to say. */
export function ids(answer: Answer): readonly string[] {
  const shown = entries(answer).filter(({ search }) => search?.mode !== 'outcome');
  return shown.map(({ resource }) => resource?.id ?? '');
}

/** @throws unless the answer is an OperationOutcome of this status and error code, about this element if one is given */
export function refused(answer: Answer, status: number, code: string, expression?: string): void {
  assert.equal(answer.status, status, answer.text);
  assert.match(String(answer.headers['content-type']), /^application\/fhir\+json/);
  const { resourceType, issue } = answer.json<OperationOutcome>();
  assert.equal(resourceType, 'OperationOutcome');
  const codes = issue.map((one) => one.details?.coding?.[0]?.code);
  assert.ok(codes.includes(code), `${codes} is not ${code}: ${answer.text}`);
  for (const one of issue) assert.ok((one.diagnostics ?? '').length > 10, 'it says nothing');
  if (expression === undefined) return;
  const expressions = issue.flatMap((one) => one.expression ?? []);
  assert.ok(expressions.includes(expression), `${expressions} is not ${expression}: ${answer.text}`);
}

/** Follows `next` to the end, and answers with the ids of each page. */
export async function pages(client: FhirClient, path: string): Promise<readonly (readonly string[])[]> {
  const found: string[][] = [];
  let next: string | undefined = path;
  while (next !== undefined) {
    const answer: Answer = await client.get(next);
    found.push([...ids(answer)]);
    next = linkOf(answer, 'next');
    assert.ok(found.length < 1000, 'the pages do not end');
  }
  return found;
}

/** A link of a Bundle, as a path of the client's origin. */
export function linkOf(answer: Answer, relation: string): string | undefined {
  const link = shown<Bundle>(answer).link?.find((one) => one.relation === relation);
  if (link?.url === undefined) return undefined;
  const { pathname, search } = new URL(link.url);
  return pathname + search;
}

/** Asserts what a search in the scope finds, in whatever order. */
export function finder(client: FhirClient, type: string, scope: Scope) {
  return async (query: string, expected: readonly { readonly id: string }[], why = query): Promise<void> => {
    const found = ids(await client.get(`${type}?${scope.query}&${query}`));
    assert.deepEqual(found.toSorted(), expected.map(({ id }) => id).toSorted(), why);
  };
}
