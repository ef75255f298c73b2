import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { COMMANDS } from '../../src/cli/commands.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { startTestNode } from '../support/test-node.ts';
import { medseal } from './medseal.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

test('help names every command, and every command has help', async () => {
  const overview = await medseal(['--help']);
  assert.equal(overview.exitCode, 0);
  for (const [name, { summary }] of COMMANDS) {
    assert.ok(overview.stdout.includes(summary), name);
    const own = await medseal([name, '--help']);
    assert.equal(own.exitCode, 0, own.stderr);
    assert.match(own.stdout, new RegExp(`^Usage: medseal ${name}`));
  }
  assert.equal((await medseal([])).stdout, overview.stdout);
  assert.match((await medseal(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
});

test('misuse ends with 2, one sentence and a hint; nothing on standard output', async () => {
  const dataDirectory = await temporaryDirectory();
  const misuses: readonly (readonly [readonly string[], RegExp])[] = [
    [['imprt'], /^medseal: there is no command imprt; did you mean import\?\nTry: medseal --help\n$/],
    [['help', 'nothing'], /^medseal: there is no command nothing\n/],
    [
      ['scrub', '--swep'],
      /^medseal scrub: there is no option --swep; did you mean --sweep\?\nTry: medseal scrub --help\n$/,
    ],
    [['import', 'x'], /^medseal import: --base is needed\n/],
    [['import', '--base', 'http://x/fhir'], /^medseal import: a PATH is needed\n/],
    [['import', '--base', 'http://x/fhir', '/nowhere'], /^medseal import: \/nowhere cannot be read: ENOENT\n/],
    [['import', '--base', 'nothing', '/'], /^medseal import: --base nothing is not the URL of a FHIR base\n/],
    [['token'], /^medseal token: CLIENT is needed\n/],
    [['institution', 'remove'], /^medseal institution: say add, list or set\n/],
    [['client', 'add', 'x'], /^medseal client: --institution is needed\n/],
    [['verify'], /^medseal verify: FILE is needed\n/],
  ];
  for (const [args, message] of misuses) {
    const { exitCode, stdout, stderr } = await medseal(args, { dataDirectory });
    assert.deepEqual([exitCode, stdout], [2, ''], args.join(' '));
    assert.match(stderr, message);
  }
});

test('where no server runs, or one that was killed did, the command says so and ends with 1', async (t) => {
  const absent = await medseal(['token', 'hospital-a'], { dataDirectory: await temporaryDirectory() });
  assert.equal(absent.exitCode, 1);
  assert.match(absent.stderr, /^medseal token: No server runs on .*\n$/);

  const node = await startTestNode(t);
  const { dataDirectory } = node;
  assert.equal(
    (await medseal(['institution', 'list'], { dataDirectory })).stdout,
    'hospital-a\nhospital-b\nresearch-institute\n',
  );
  const twice = await medseal(['institution', 'add', 'hospital-a'], { dataDirectory });
  assert.equal(twice.exitCode, 1);
  assert.match(twice.stderr, /^medseal institution: There is an institution with this name\.?\n$/);
  await node.kill9();
  const killed = await medseal(['institution', 'list'], { dataDirectory });
  assert.equal(killed.exitCode, 1);
  assert.match(killed.stderr, /No server runs on/);
});

const NPX = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((directory) => !directory.includes('node_modules'))
  .map((directory) => join(directory, 'npx'))
  .find(existsSync);

test('npx medseal works from the checkout, whatever Node the machine has', {
  skip: NPX === undefined && 'there is no npx besides the one of this checkout',
}, async () => {
  const home = await temporaryDirectory();
  const path = (process.env.PATH ?? '').split(delimiter).filter((directory) => !directory.includes('node_modules'));
  const env = { ...process.env, PATH: path.join(delimiter), HOME: home, npm_config_update_notifier: 'false' };
  for (const flags of [[], ['--no-install']]) {
    const { stdout } = await promisify(execFile)('npx', [...flags, 'medseal', '--version'], { cwd: ROOT, env });
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  }
});
