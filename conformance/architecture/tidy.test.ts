import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT, sources } from './sources.ts';
import { RULES, violations } from './tidy.ts';

const FOLDERS = ['src', 'chaincode', 'conformance', 'fabric', 'fhir-profiles'];
/** Folders that a newcomer finds described: those of the root, and the stages of src/. */
const DESCRIBED = ['chaincode', 'conformance', 'docs', 'fabric', 'fhir-profiles', 'src', ...stages()];

for (const rule of RULES) {
  test(rule.name, () => assert.deepEqual(violations(rule, sources(...FOLDERS)), []));
}

/** What each rule must find; a rule that finds nothing anywhere would pass for ever. */
const PLANTED: Readonly<Record<string, readonly [path: string, text: string]>> = {
  environment: ['src/api/x.ts', 'const a = process.env.HOME;'],
  'environment, imported': ['src/api/x.ts', `import { env } from 'node:process';`],
  console: ['src/api/x.ts', 'console.log(1);'],
  'default export': ['src/api/x.ts', 'export default function a() {}'],
  'default export by another name': ['src/api/x.ts', 'export { a as default };'],
  any: ['src/api/x.ts', 'function a(b: any) {}'],
  'any, cast': ['src/api/x.ts', 'const a = b as any;'],
  'any, argument of a type': ['src/api/x.ts', 'const a: Map<string, any> = b;'],
  'any, list': ['src/api/x.ts', 'type A = any[];'],
  silenced: ['src/api/x.ts', `// @ts-${'expect-error'} because\na();`],
  SQL: ['src/api/x.ts', 'query(`select id from batch where size > $1`);'],
  'SQL over several lines': ['src/trail/x.ts', 'query(`\n  insert into leaf\n  values ($1)`);'],
  'SQL that changes': ['src/trail/x.ts', "query('update batch set held = $1');"],
  length: ['src/api/x.ts', 'a();\n'.repeat(301)],
};

for (const [what, [path, text]] of Object.entries(PLANTED)) {
  test(`a planted violation is found: ${what}`, () => {
    const found = RULES.flatMap((rule) => violations(rule, [{ path, text, isTest: false }]));
    assert.equal(found.length, 1, found.join());
  });
}

for (const folder of DESCRIBED) {
  test(`${folder}/ has a README`, () => assert.ok(existsSync(join(ROOT, folder, 'README.md'))));
}

function stages(): readonly string[] {
  return readdirSync(join(ROOT, 'src'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `src/${entry.name}`);
}
