/** The project's own TypeScript as the architecture tests look at it: files, imports, code without comments. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { lex } from './lex.ts';

export const ROOT = join(import.meta.dirname, '../..');

export interface Source {
  /** From the repository's root, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly isTest: boolean;
}

/** Every TypeScript file below these folders of the repository, in order. */
export function sources(...folders: readonly string[]): readonly Source[] {
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.split('/').includes('node_modules'))
      .sort()
      .map((name) => readSource(`${folder}/${name}`)),
  );
}

function readSource(path: string): Source {
  return { path, text: readFileSync(join(ROOT, path), 'utf8'), isTest: /\.test\.ts$/.test(path) };
}

export interface Import {
  /** As written. */
  readonly specifier: string;
  /** From the repository's root for a relative one, else undefined. */
  readonly path: string | undefined;
  readonly kind: 'static' | 'type' | 'dynamic';
}

const IMPORT = /\b(?:(import|export)\s+(type\s+)?(?:[^;'"()]*?\bfrom\s*)?|(import)\s*\(\s*)(["'])#(\d+)\4/g;

/** What a source imports or exports from elsewhere, dynamic imports included. */
export function importsOf({ path, text }: Pick<Source, 'path' | 'text'>): readonly Import[] {
  const { code, strings } = lex(text);
  return [...code.matchAll(IMPORT)].map(([, , type, dynamic, , index]) => {
    const specifier = strings[Number(index)] ?? '';
    return {
      specifier,
      path: specifier.startsWith('.') ? relative(ROOT, join(ROOT, dirname(path), specifier)) : undefined,
      kind: dynamic !== undefined ? 'dynamic' : type !== undefined ? 'type' : 'static',
    };
  });
}
