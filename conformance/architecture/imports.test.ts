import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { misdirectedImports } from './imports.ts';
import { importsOf, ROOT, sources } from './sources.ts';

test('imports point down, and each part imports only what it may (DESIGN §2)', () => {
  assert.deepEqual(misdirectedImports(sources('src', 'chaincode')), []);
});

test('no two modules import each other, over any number of steps', () => {
  const all = sources('src', 'chaincode');
  const graph = new Map(
    all.map((source) => [
      source.path,
      importsOf(source)
        .filter(({ kind }) => kind === 'static')
        .flatMap(({ path }) => (path === undefined ? [] : [path])),
    ]),
  );
  assert.deepEqual(cycles(graph), []);
});

test('the dependencies of the contracts are their own: the package does not even name the server', () => {
  const text = readFileSync(join(ROOT, 'chaincode/package.json'), 'utf8');
  assert.doesNotMatch(text, /"medseal"/);
});

for (const [why, path, text] of [
  ['up', 'src/storage/x.ts', `import { a } from '../repository/a.ts';`],
  ['up, a type only', 'src/consent/x.ts', `import type { A } from '../interactions/a.ts';`],
  ['up, dynamically', 'src/auth/x.ts', `await import('../api/a.ts');`],
  ['the composition root', 'src/interactions/x.ts', `import { compose } from '../compose.ts';`],
  ['from a leaf', 'src/fhir/x.ts', `import { a } from '../storage/a.ts';`],
  ['logging from the pure leaf', 'src/fhir/x.ts', `import { a } from '../logger.ts';`],
  ['from the contracts', 'chaincode/src/x.ts', `import { a } from '../../src/errors.ts';`],
  ['the contracts themselves', 'src/trail/x.ts', `import { a } from 'medseal-chaincode';`],
  ['the rules from elsewhere', 'src/api/x.ts', `import { a } from 'medseal-chaincode/rules';`],
  ['the portal', 'src/portal/x.ts', `import { a } from '../fhir/a.ts';`],
  ['tests’ helpers', 'src/api/x.ts', `import { a } from '../../conformance/support/seed.ts';`],
] as const) {
  test(`a planted import is found: ${why}`, () => {
    assert.equal(misdirectedImports([{ path, text, isTest: false }]).length, 1);
  });
}

test('a planted cycle is found', () => {
  const graph = new Map([
    ['a', ['b']],
    ['b', ['c']],
    ['c', ['a']],
    ['d', ['a']],
  ]);
  assert.deepEqual(cycles(graph), ['a → b → c → a']);
});

function cycles(graph: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (node: string, path: readonly string[]): void => {
    const at = path.indexOf(node);
    if (at >= 0) found.push([...path.slice(at), node].join(' → '));
    if (at >= 0 || done.has(node)) return;
    for (const next of graph.get(node) ?? []) visit(next, [...path, node]);
    done.add(node);
  };
  for (const node of graph.keys()) visit(node, []);
  return found;
}
