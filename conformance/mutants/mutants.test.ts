/** Each guard is taken out of a copy of the sources, in which the test that is named then fails. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { before, suite, test } from 'node:test';
import { ROOT } from '../architecture/sources.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { MUTANTS, type Mutant } from './mutants.ts';

const SOURCES = ['src', 'chaincode', 'conformance', 'package.json'];

suite('every guard is needed', () => {
  let copy = '';
  before(async () => {
    copy = join(await temporaryDirectory(), 'medseal');
    mkdirSync(copy);
    for (const name of SOURCES) cpSync(join(ROOT, name), join(copy, name), { recursive: true, filter: isSource });
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  });

  for (const mutant of MUTANTS) {
    test(`without: ${mutant.what}`, async () => {
      const file = join(copy, mutant.file);
      const source = readFileSync(file, 'utf8');
      assert.equal(source.split(mutant.from).length, 2, `${mutant.file} has this once: ${mutant.from}`);
      writeFileSync(
        file,
        source.replace(mutant.from, () => mutant.to),
      );
      try {
        await assertFails(mutant);
      } finally {
        writeFileSync(file, source);
      }
    });
  }

  test('with all of them nothing fails', async () => {
    for (const path of new Set(MUTANTS.map((mutant) => mutant.test))) {
      const named = MUTANTS.filter((mutant) => mutant.test === path).map(({ fails }) => fails.source);
      const { code, output } = await run(path, named.join('|'));
      assert.equal(code, 0, output);
      assert.match(output, /^ *ok \d+ - /m);
    }
  });

  async function assertFails({ test: path, fails }: Mutant): Promise<void> {
    const { code, output } = await run(path, fails.source);
    const failed = [...output.matchAll(/^ *not ok \d+ - (.*)$/gm)].map(([, name = '']) => name);
    assert.ok(code !== 0 && failed.some((name) => fails.test(name)), `nothing failed that names ${fails}:\n${output}`);
  }

  async function run(path: string, pattern: string) {
    const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
    const args = ['--test', '--test-reporter=tap', '--test-name-pattern', pattern, path];
    const child = spawn(process.execPath, args, { cwd: copy, env: environment });
    const [output, , [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    return { code: code as number, output };
  }
});

function isSource(path: string): boolean {
  return !path.includes('/node_modules');
}
