import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '../../src/config.ts';
import { ROOT } from './sources.ts';

/** The variables that src/config.ts declares, with the defaults that it has when nothing is set. */
export function environmentVariables(): readonly (readonly [name: string, byDefault: string | undefined])[] {
  const text = readFileSync(join(ROOT, 'src/config.ts'), 'utf8');
  const declared = /interface Environment \{([^}]*)\}/.exec(text)?.[1] ?? '';
  const names = [...declared.matchAll(/^\s*([A-Z_]+)\??:/gm)].map(([, name = '']) => name);
  assert.ok(names.length > 10, 'src/config.ts does not declare its variables as this test reads them');
  const { host, port, logLevel } = readConfig({});
  const defaults: Readonly<Record<string, string>> = {
    HOST: host,
    PORT: String(port),
    LOG_LEVEL: logLevel,
    MEDSEAL_DATA: '.medseal',
  };
  return names.map((name) => [name, defaults[name]]);
}
