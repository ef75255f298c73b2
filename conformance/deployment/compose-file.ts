import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT } from '../architecture/sources.ts';

/** The fields of docker-compose.yml that are looked at. https://github.com/compose-spec/compose-spec/blob/main/spec.md */
export interface ComposeService {
  readonly image?: string;
  readonly build?: string | { readonly context: string; readonly dockerfile?: string };
  readonly user?: string;
  readonly restart?: string;
  readonly profiles?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: object;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string; readonly required?: boolean }>>;
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: object;
  readonly networks: object;
}

export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

export function readCompose(): ComposeFile {
  return parse(readText('docker-compose.yml'), { merge: true, uniqueKeys: true }) as ComposeFile;
}

/** Services whose name begins so: `peer.hospital-a.example` is of the kind `peer`. */
export function servicesOf(file: ComposeFile, kind: string): readonly (readonly [string, ComposeService])[] {
  return Object.entries(file.services).filter(([name]) => name.startsWith(`${kind}.`));
}
