import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { processes } from '../support/processes.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

const RUN = fileURLToPath(new URL('../run.ts', import.meta.url));
const TEST = `import { test } from 'node:test'; import assert from 'node:assert/strict';\n`;

test('what passes is counted, skips are told with their reasons, and words narrow it', async () => {
  const files = {
    'src/a.test.ts': `${TEST} test('one', () => {}); test('two', { skip: 'there is no moon' }, () => {});`,
    'conformance/b.test.ts': `${TEST} test('three', async (t) => { await t.test('inner', () => {}); });`,
    'src/c.test.ts': 'throw new Error();',
  };
  const { code, output } = await runTests(files, ['src/a', 'nce/b']);
  assert.equal(code, 0, output);
  assert.match(output, /src\/a\.test\.ts: two: there is no moon/);
  assert.match(output, /2 files: 3 tests passed, 0 failed, 1 skipped/);
});

test('words that fit nothing are an error', async () => {
  assert.equal((await runTests({ 'src/a.test.ts': TEST }, ['nothing'])).code, 2);
});

/** What a file holds, and what the runner must say of it. */
const FAILURES: Readonly<Record<string, readonly [text: string, told: RegExp]>> = {
  fails: [
    `${TEST} test('outer', async (t) => { await t.test('bad', () => assert.equal(4711, 1)); });`,
    /outer › bad[\s\S]*4711/,
  ],
  'does-not-load': [`throw new Error('broken at load');`, /the file as a whole[\s\S]*broken at load/],
  'exit-code': [
    `${TEST} test('one', () => {}); process.on('exit', () => { process.exitCode = 3; });`,
    /exit-code\.test\.ts: the file as a whole/,
  ],
  empty: ['export const a = 1;', /empty\.test\.ts: the file ran no test/],
  'left-behind': [
    `${TEST} import { spawn } from 'node:child_process';
    test('one', () => { spawn('sleep', ['300'], { detached: true, stdio: 'ignore' }).unref(); });`,
    /Left behind[\s\S]*sleep 300/,
  ],
};

test('what is wrong with a file is told, and makes it all fail', async () => {
  const texts = Object.entries(FAILURES).map(([name, [text]]) => [`src/${name}.test.ts`, text]);
  const { code, output, directory } = await runTests(Object.fromEntries(texts));
  assert.equal(code, 1, output);
  for (const [, told] of Object.values(FAILURES)) assert.match(output, told);
  assert.match(output, /5 files: 2 tests passed, 4 failed/);
  assert.deepEqual(leftIn(directory), []);
});

test('a process that is left behind is enough to fail', async () => {
  const [text] = FAILURES['left-behind'] ?? [];
  assert.equal((await runTests({ 'src/a.test.ts': text ?? '' })).code, 1);
});

test('nothing is left when it is interrupted', async () => {
  const directory = await temporaryDirectory();
  write(directory, {
    'src/a.test.ts': `${TEST} import { spawnSync } from 'node:child_process'; import { writeFileSync } from 'node:fs';
    test('long', () => { writeFileSync('${directory}/under-way', ''); spawnSync('sleep', ['300']); });`,
  });
  const child = start(directory, []);
  await until('the test began', () => readdirSync(directory).includes('under-way'));
  assert.notDeepEqual(leftIn(directory), []);
  child.kill('SIGINT');
  const [code] = await once(child, 'exit');
  assert.equal(code, 130);
  assert.deepEqual(leftIn(directory), []);
});

async function runTests(files: Readonly<Record<string, string>>, words: readonly string[] = []) {
  const directory = await temporaryDirectory();
  write(directory, files);
  const child = start(directory, words);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const [code] = await once(child, 'close');
  return { code, output, directory };
}

function write(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(directory, path, '..'), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
}

/** Its run directory lies in `directory`, by which its processes are known. */
function start(directory: string, words: readonly string[]) {
  const { NODE_TEST_CONTEXT: _, MEDSEAL_TEST_POSTGRES: __, ...environment } = process.env;
  return spawn(process.execPath, [RUN, ...words], {
    env: { ...environment, TMPDIR: directory, MEDSEAL_TEST_ROOT: directory },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Run directories and processes that a run in `directory` left. */
function leftIn(directory: string): readonly string[] {
  const directories = readdirSync(directory).filter((name) => name.startsWith('ms-'));
  const running = processes().filter(({ command }) => command.includes(`${directory}/`));
  return [...directories, ...running.map(({ command }) => command)];
}
