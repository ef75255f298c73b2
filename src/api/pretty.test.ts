import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { prettyJson } from './pretty.ts';

test('is what JSON.stringify lays out, for any value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.equal(prettyJson(JSON.stringify(value)), `${JSON.stringify(value, undefined, 2)}\n`);
    }),
  );
});

test('numbers and escapes stay as they were written', () => {
  const text = '{"value":1.0,"big":1e-7,"text":"a\\u00e9\\"{}[],:","_value":{"id":"x"}}';
  const pretty = prettyJson(text);
  for (const part of ['"value": 1.0', '"big": 1e-7', '"a\\u00e9\\"{}[],:"']) assert.ok(pretty.includes(part), part);
});
