import type { Resource } from '@medplum/fhirtypes';

/** Every planted text holds this, and nothing else does. Letters that URLs, codes, ids and base64 leave as they are. */
export const MARKER = 'zqcanaryqz';
/** Every planted number is this. */
export const NUMBER = 739_182_645;

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export interface Planter {
  /** A text that was not given before. */
  mark(): string;
  /** All that were given. */
  readonly marks: readonly string[];
}

export function createPlanter(): Planter {
  const marks: string[] = [];
  return {
    marks,
    mark() {
      const mark = `${MARKER}${String(marks.length).padStart(5, '0')}x`;
      marks.push(mark);
      return mark;
    },
  };
}

/**
 * The resource with a text of its own in the place of every text, and one number in the place of every number, but for
 * what its structure hangs on.
 *
 * @param kept FHIRPath of elements that stay as they are, such as `Observation.status`
 */
export function plant(resource: Resource, { mark }: Planter, kept: ReadonlySet<string>): Resource {
  const { resourceType, text: _, ...rest } = resource as Resource & { text?: unknown };
  const visit = (value: Json, key: string, path: string): Json => {
    if (kept.has(path) || value === null || typeof value === 'boolean') return value;
    if (typeof value === 'number') return NUMBER;
    if (typeof value === 'string') return plantText(value, key, mark);
    if (Array.isArray(value)) return value.map((one: Json, index) => visit(one, key, `${path}[${index}]`));
    // A contained resource keeps its id, which references within name.
    const entries = Object.entries(value).filter(([inner]) => inner !== 'security' && inner !== 'div');
    return Object.fromEntries(
      entries.map(([inner, one]) => [inner, isKept(inner, path) ? one : visit(one, inner, `${path}.${inner}`)]),
    );
  };
  const planted = visit(rest as unknown as Json, '', resourceType) as object;
  if (WITHOUT_NARRATIVE.has(resourceType)) return { resourceType, ...planted, id: mark() } as Resource;
  const div = `<div xmlns="http://www.w3.org/1999/xhtml">${mark()}</div>`;
  return { resourceType, ...planted, id: mark(), text: { status: 'generated', div } } as Resource;
}

const WITHOUT_NARRATIVE: ReadonlySet<string> = new Set(['Binary', 'Bundle', 'Parameters']);

function isKept(key: string, path: string): boolean {
  return key === 'resourceType' || (key === 'id' && path.includes('contained'));
}

const DATE = /^\d{4}(?:-\d\d){0,2}(?:T.*)?$|^\d\d:\d\d/;
const RELATIVE = /^([A-Z][A-Za-z]+)\/[A-Za-z0-9.-]+(\/_history\/\d+)?$/;

function plantText(value: string, key: string, mark: () => string): string {
  if (DATE.test(value) || value.startsWith('#')) return value;
  if (key === 'data' || key === 'hash') return Buffer.from(mark()).toString('base64');
  if (key === 'reference')
    return RELATIVE.test(value)
      ? value.replace(RELATIVE, (_, type) => `${type}/${mark()}`)
      : `http://${mark()}.example/x`;
  if (/^(?:https?|urn|mailto|ftp):/.test(value)) return `http://${mark()}.example/x`;
  return mark();
}
