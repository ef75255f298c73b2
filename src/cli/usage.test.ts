import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closest, needed, parseOptions, UsageError } from './usage.ts';

const OPTIONS = { base: { type: 'string' }, restart: { type: 'boolean' } } as const;

test('reads options and positional arguments', () => {
  const { values, positionals } = parseOptions(['a', '--base', 'x', 'b', '--restart', '-'], OPTIONS);
  assert.deepEqual({ ...values }, { base: 'x', restart: true });
  assert.deepEqual(positionals, ['a', 'b', '-']);
});

test('says what the command does not take, and what may have been meant', () => {
  const refusals: readonly (readonly [readonly string[], string])[] = [
    [['--bse', 'x'], 'there is no option --bse; did you mean --base?'],
    [['--restrat'], 'there is no option --restrat; did you mean --restart?'],
    [['--base', 'x', '--nothing-like-it=secret'], 'there is no option --nothing-like-it'],
    [['-x'], 'there is no option -x'],
    [['--restart=yes'], "Option '--restart' does not take an argument"],
    [['--base'], "Option '--base <value>' argument missing"],
  ];
  for (const [args, message] of refusals) {
    assert.throws(() => parseOptions(args, OPTIONS), { name: 'UsageError', message });
  }
  assert.throws(() => parseOptions(['a', 'b'], OPTIONS, 1), { message: 'b is one argument too many' });
});

test('finds the nearest name, and none where nothing is near', () => {
  const names = ['serve', 'institution', 'client', 'token', 'import', 'verify', 'scrub'];
  assert.equal(closest('imprt', names), 'import');
  assert.equal(closest('inst', names), 'institution');
  assert.equal(closest('vreify', names), 'verify');
  for (const word of ['', 'x', 'rebuild', 'help']) assert.equal(closest(word, names), undefined, word);
});

test('asks for what is missing', () => {
  assert.equal(needed('x', 'ID'), 'x');
  assert.throws(() => needed(undefined, 'ID'), UsageError);
});
