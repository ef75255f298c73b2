/**
 * Bundles are put together as text around the resources' exact bytes, so that what was sent comes back, decimals
 * included, and nothing is parsed only to be written again.
 */
export interface TextEntry {
  readonly fullUrl?: string;
  /** Exact JSON text of the resource. */
  readonly resource?: string | Buffer;
  /** Any further members, in order, such as `search`, `request`, `response`. */
  readonly members?: Readonly<Record<string, unknown>>;
}

export interface TextBundle {
  readonly type: string;
  readonly id?: string;
  readonly timestamp?: string;
  readonly total?: number;
  readonly link?: readonly { readonly relation: string; readonly url: string }[];
  readonly entry: readonly TextEntry[];
}

export function bundleText({ entry, ...header }: TextBundle): string {
  const head = JSON.stringify({ resourceType: 'Bundle', ...header });
  // R4 forbids empty arrays.
  if (entry.length === 0) return head;
  return `${head.slice(0, -1)},"entry":[${entry.map(entryText).join(',')}]}`;
}

function entryText({ fullUrl, resource, members }: TextEntry): string {
  const parts: string[] = [];
  if (fullUrl !== undefined) parts.push(`"fullUrl":${JSON.stringify(fullUrl)}`);
  if (resource !== undefined) parts.push(`"resource":${resource.toString()}`);
  if (members !== undefined) {
    const text = JSON.stringify(members);
    if (text.length > 2) parts.push(text.slice(1, -1));
  }
  return `{${parts.join(',')}}`;
}
