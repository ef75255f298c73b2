/** What the documentation lists is what the code has: no more and no less. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ERROR_CODES } from '../../src/errors.ts';
import { CRASH_POINTS } from '../../src/faults.ts';
import { ROOT, sources } from './sources.ts';

test('every error code is used', () => {
  const others = sources('src', 'chaincode/src').filter(({ path, isTest }) => !isTest && path !== 'src/errors.ts');
  const unused = ERROR_CODES.filter((code) => !others.some(({ text }) => text.includes(`'${code}'`)));
  assert.deepEqual(unused, []);
});

test('docs/dependencies.md names every package that is asked for, and nothing else', () => {
  const text = read('docs/dependencies.md');
  const asked = new Set(
    ['package.json', 'chaincode/package.json'].flatMap((path) => {
      const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read(path)) as Manifest;
      return Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies });
    }),
  );
  asked.delete('medseal-chaincode'); // our own
  const named = new Set([...text.matchAll(/`(@?[a-z][a-z0-9./*-]*)`/g)].map(([, name = '']) => name));
  const covers = (name: string, pack: string) =>
    name === pack || (name.endsWith('/*') && pack.startsWith(name.slice(0, -1)));
  assert.deepEqual(
    [...asked].filter((pack) => ![...named].some((name) => covers(name, pack))),
    [],
    'packages that are not told of',
  );
  const rows = tableRows('docs/dependencies.md', 3).flatMap(([names = '']) => names.split(/[ ,]+/));
  const packages = rows.filter(
    (name) => /^@?[a-z][a-z0-9./*-]*$/.test(name) && !['optional', 'chaincode'].includes(name),
  );
  assert.deepEqual(
    packages.filter((name) => ![...asked].some((pack) => covers(name, pack))),
    [],
    'packages that are told of and not there',
  );
});

test('docs/crash-points.md tells of every point, and every point is passed somewhere', () => {
  const told = [...read('docs/crash-points.md').matchAll(/^\| \d+ ?\*? \| .*$/gm)].map(([row]) => row);
  const passed = sources('src').filter(({ isTest }) => !isTest);
  for (const point of CRASH_POINTS) {
    assert.ok(
      told.some((row) => row.includes(`\`${point}\``)),
      `${point} is not in docs/crash-points.md`,
    );
    assert.ok(
      passed.some(({ text }) => new RegExp(`faults\\.(?:at|tear)\\('${point}'`).test(text)),
      `nothing passes ${point}`,
    );
  }
  const numbers = told.map((row) => Number(/\d+/.exec(row)?.[0]));
  const absent = Array.from({ length: 29 }, (_, index) => index + 1).filter((number) => !numbers.includes(number));
  assert.deepEqual(absent, [21, 22, 23, 24]);
});

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** The cells of all tables of a page that have so many columns, without headings and without backquotes. */
function tableRows(path: string, columns: number): readonly (readonly string[])[] {
  return read(path)
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').slice(1, -1))
    .filter((cells) => cells.length === columns)
    .map((cells) => cells.map((cell) => cell.trim().replaceAll('`', '')));
}
