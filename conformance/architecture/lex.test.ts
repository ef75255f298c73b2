import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lex } from './lex.ts';
import { importsOf } from './sources.ts';

test('comments go, strings are set aside, line breaks stay', () => {
  const { code, strings } = lex(`const a = 'x // no'; // any\n/* console\n */ const b = "y";`);
  assert.equal(code, `const a = '#0'; \n\n const b = '#1';`);
  assert.deepEqual(strings, ['x // no', 'y']);
});

test('a quote in a regular expression opens no string, a division no regular expression', () => {
  const { code, strings } = lex(`const a = /['"\`/]/g; const b = 4 / 2 / c; const d = 'e';`);
  assert.equal(code, `const a = / /; const b = 4 / 2 / c; const d = '#0';`);
  assert.deepEqual(strings, ['e']);
});

test('expressions of template literals stay code, nested ones too', () => {
  const { code, strings } = lex(
    'const a = `select $@one({ two: `3 $@console}` })} from`; after();'.replaceAll('@', '{'),
  );
  assert.ok(code.includes('console') && code.includes('one({ two:') && code.endsWith('; after();'), code);
  assert.deepEqual(strings, ['select ', '3 ', '', ' from']);
});

test('imports are told apart', () => {
  const text = [
    `import './a.ts';`,
    `import type { B } from '../b.ts';`,
    `import c, {\n  d,\n} from 'package';`,
    `export { e } from './e.ts';`,
    `const f = await import('./f.ts');`,
    `// import './comment.ts'`,
    `const g = "import './string.ts'";`,
  ].join('\n');
  assert.deepEqual(
    importsOf({ path: 'src/x/y.ts', text }).map(({ specifier, path, kind }) => [specifier, path, kind]),
    [
      ['./a.ts', 'src/x/a.ts', 'static'],
      ['../b.ts', 'src/b.ts', 'type'],
      ['package', undefined, 'static'],
      ['./e.ts', 'src/x/e.ts', 'static'],
      ['./f.ts', 'src/x/f.ts', 'dynamic'],
    ],
  );
});
