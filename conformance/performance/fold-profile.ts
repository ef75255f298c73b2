/** The part of V8's `.cpuprofile` that is used here. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    readonly children?: readonly number[];
  }[];
  /** Ids of nodes, and the microseconds before each sample. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Microseconds of the main thread by name, most first; waiting is left out. */
export type Folded = Readonly<Record<string, number>>;

/**
 * Adds up where the main thread was. Time in a library or in Node itself counts for the code of ours that called it;
 * where none did, for the package, or `node`. What V8 does by itself keeps V8's names: `(garbage collector)`, `(program)`.
 *
 * @param nameOf what a source file of the project (a path within it) counts as
 * @param root URL of the project's directory, with a trailing slash
 */
export function foldProfile(profile: CpuProfile, root: string, nameOf: (path: string) => string): Folded {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const names = new Map<number, string>();
  const visit = (id: number, inherited: string | undefined): void => {
    const node = nodes.get(id);
    if (node === undefined) return;
    const { functionName, url } = node.callFrame;
    const own = ourName(url, root, nameOf);
    const name = own ?? (isOfV8(functionName, url) ? functionName : (inherited ?? packageName(url)));
    names.set(id, name ?? 'node');
    for (const child of node.children ?? []) visit(child, own ?? inherited ?? packageName(url));
  };
  const [top] = profile.nodes;
  if (top !== undefined) visit(top.id, undefined);
  const sums = new Map<string, number>();
  for (const [index, id] of profile.samples.entries()) {
    const name = names.get(id) ?? 'node';
    sums.set(name, (sums.get(name) ?? 0) + (profile.timeDeltas[index] ?? 0));
  }
  sums.delete('(idle)');
  return Object.fromEntries([...sums].sort(([, one], [, other]) => other - one));
}

/** The folder of `src/` that a file lies in, its own name when it lies in `src/` itself, or the top folder elsewhere. */
export function stageOf(path: string): string {
  const [top = '', part = ''] = path.split('/');
  return top === 'src' ? part : top;
}

function ourName(url: string, root: string, nameOf: (path: string) => string): string | undefined {
  if (!url.startsWith(root)) return undefined;
  const path = url.slice(root.length);
  return path.startsWith('node_modules/') ? undefined : nameOf(path);
}

function packageName(url: string): string | undefined {
  const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
  return name === undefined ? undefined : `npm ${name}`;
}

function isOfV8(functionName: string, url: string): boolean {
  return url === '' && /^\((idle|garbage collector|program)\)$/.test(functionName);
}
