import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DIRECTORY_TYPES } from '../../src/consent/directory.ts';
import { ERROR_CODES, MedSealError } from '../../src/errors.ts';
import { isResourceType } from '../../src/fhir/definitions/definitions.ts';
import { environmentVariables } from './environment.ts';
import { ROOT } from './sources.ts';

/** Facts that stand in two places, because two kinds of reader need them. */

test('both consent locks have the same list of directory types', () => {
  const sql = read('src/storage/migrations/records/0005_views.sql');
  const inDatabase = /function directory_types\(\)[\s\S]*?return '\{([^}]*)\}'/.exec(sql)?.[1]?.split(',') ?? [];
  assert.deepEqual(inDatabase.toSorted(), [...DIRECTORY_TYPES].toSorted());
  assert.deepEqual(
    [...DIRECTORY_TYPES].filter((type) => !isResourceType(type)),
    [],
    'each is a resource type of R4',
  );
});

test('README.md describes every environment variable, with its default, and no other', () => {
  assert.ok(existsSync(join(ROOT, 'README.md')), 'README.md is not there');
  const table = tableAfter(read('README.md'), /^#+ Configuration$/m);
  assert.ok(table.length > 0, 'README.md has no heading "Configuration" with a table below it');
  const described = new Map(table.map(([name = '', byDefault = '']) => [name.replaceAll('`', ''), byDefault]));
  const variables = environmentVariables();
  assert.deepEqual([...described.keys()].toSorted(), variables.map(([name]) => name).toSorted());
  for (const [name, byDefault] of variables) {
    if (byDefault === undefined) continue;
    assert.ok(described.get(name)?.includes(byDefault), `README.md does not tell the default of ${name}, ${byDefault}`);
  }
});

test('docs/errors.md describes every error code, with its status and issue type, and no other', () => {
  const rows = tableAfter(read('docs/errors.md'), /^# /m);
  const documented = rows.map(([code = '', status, issue]) => [code.replaceAll('`', ''), status, issue]);
  const known = ERROR_CODES.map((code) => {
    const error = new MedSealError(code, '');
    return [code, String(error.status), `\`${error.issueType}\``];
  });
  assert.deepEqual(documented, known);
  for (const [code, , , meaning = ''] of rows) assert.ok(meaning.length > 20, `${code} is not explained`);
});

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** The cells of every row of the Markdown tables below a heading, up to the next heading of any level. */
function tableAfter(markdown: string, heading: RegExp): readonly (readonly string[])[] {
  const [, rest = ''] = markdown.split(heading);
  const section = heading.source.startsWith('^# ') ? rest : rest.split(/^#/m)[0];
  const lines = (section ?? '').split('\n');
  return lines
    .filter((line, index) => line.startsWith('|') && !/^\|[\s:|-]+\|$/.test(line) && !isHeader(lines, index))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
}

function isHeader(lines: readonly string[], index: number): boolean {
  return /^\|[\s:|-]+\|$/.test(lines[index + 1] ?? '');
}
