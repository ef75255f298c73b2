import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { MedSealError } from '../../errors.ts';
import { parseJson } from './parse.ts';
import { applyJsonPatch, parseJsonPatch } from './patch.ts';

function patched(document: string, patch: string): string {
  const operations = parseJsonPatch(parseJson(Buffer.from(patch)));
  return JSON.stringify(applyJsonPatch(parseJson(Buffer.from(document)), operations));
}

function refusal(code: string, expression?: string) {
  return (error: unknown) => {
    assert.ok(error instanceof MedSealError);
    assert.equal(error.code, code);
    if (expression !== undefined) assert.equal(error.issues[0]?.expression, expression);
    return true;
  };
}

describe('JSON Patch (RFC 6902, appendix A and what it leaves open)', () => {
  for (const [why, document, patch, result] of [
    ['A.1 adds a member', '{"foo":"bar"}', '[{"op":"add","path":"/baz","value":"qux"}]', '{"foo":"bar","baz":"qux"}'],
    [
      'A.2 adds an item',
      '{"foo":["bar","baz"]}',
      '[{"op":"add","path":"/foo/1","value":"qux"}]',
      '{"foo":["bar","qux","baz"]}',
    ],
    ['A.3 removes a member', '{"baz":"qux","foo":"bar"}', '[{"op":"remove","path":"/baz"}]', '{"foo":"bar"}'],
    [
      'A.4 removes an item',
      '{"foo":["bar","qux","baz"]}',
      '[{"op":"remove","path":"/foo/1"}]',
      '{"foo":["bar","baz"]}',
    ],
    ['A.5 replaces', '{"baz":"qux"}', '[{"op":"replace","path":"/baz","value":"boo"}]', '{"baz":"boo"}'],
    [
      'A.6 moves a member',
      '{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}',
      '[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]',
      '{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}',
    ],
    [
      'A.7 moves an item',
      '{"foo":["all","grass","cows","eat"]}',
      '[{"op":"move","from":"/foo/1","path":"/foo/3"}]',
      '{"foo":["all","cows","eat","grass"]}',
    ],
    [
      'A.8 tests',
      '{"baz":"qux","foo":["a",2,"c"]}',
      '[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]',
      '{"baz":"qux","foo":["a",2,"c"]}',
    ],
    [
      'A.10 adds an object',
      '{"foo":"bar"}',
      '[{"op":"add","path":"/child","value":{"grandchild":{}}}]',
      '{"foo":"bar","child":{"grandchild":{}}}',
    ],
    [
      'A.11 ignores unknown members',
      '{"foo":"bar"}',
      '[{"op":"add","path":"/baz","value":"qux","xyz":123}]',
      '{"foo":"bar","baz":"qux"}',
    ],
    ['A.14 ~ in names', '{"/":9,"~1":10}', '[{"op":"test","path":"/~01","value":10}]', '{"/":9,"~1":10}'],
    ['A.16 appends', '{"foo":["bar"]}', '[{"op":"add","path":"/foo/-","value":["abc"]}]', '{"foo":["bar",["abc"]]}'],
    ['copies', '{"a":{"b":1.50}}', '[{"op":"copy","from":"/a","path":"/c"}]', '{"a":{"b":1.50},"c":{"b":1.50}}'],
    ['keeps decimals', '{"a":1.0,"b":2.50}', '[{"op":"add","path":"/c","value":0.10}]', '{"a":1.0,"b":2.50,"c":0.10}'],
    ['compares numbers by value', '{"a":1.0}', '[{"op":"test","path":"/a","value":1}]', '{"a":1.0}'],
    ['replaces the whole', '{"a":1}', '[{"op":"replace","path":"","value":{"b":2}}]', '{"b":2}'],
    ['a value of null is a value', '{"a":1}', '[{"op":"add","path":"/a","value":null}]', '{"a":null}'],
    ['nothing to do', '{"a":1}', '[]', '{"a":1}'],
    ['an empty name', '{"":1}', '[{"op":"remove","path":"/"}]', '{}'],
  ] as const) {
    test(why, () => assert.equal(patched(document, patch), result));
  }

  for (const [why, document, patch, code, expression] of [
    ['A.9 a test fails', '{"a":"b"}', '[{"op":"test","path":"/a","value":"c"}]', 'patch-failed', 'JsonPatch[0].value'],
    ['A.12 no parent', '{"a":1}', '[{"op":"add","path":"/b/c","value":1}]', 'patch-failed', 'JsonPatch[0].path'],
    ['A.15 text is no number', '{"a":10}', '[{"op":"test","path":"/a","value":"10"}]', 'patch-failed', undefined],
    ['nothing to remove', '{}', '[{"op":"remove","path":"/a"}]', 'patch-failed', undefined],
    ['nothing to replace', '{}', '[{"op":"replace","path":"/a","value":1}]', 'patch-failed', undefined],
    ['nothing to copy', '{}', '[{"op":"copy","from":"/a","path":"/b"}]', 'patch-failed', 'JsonPatch[0].from'],
    ['beyond the end', '{"a":[1]}', '[{"op":"add","path":"/a/2","value":1}]', 'patch-failed', undefined],
    ['no item at the end', '{"a":[1]}', '[{"op":"remove","path":"/a/-"}]', 'patch-failed', undefined],
    ['an index with a zero in front', '{"a":[1,2]}', '[{"op":"remove","path":"/a/01"}]', 'patch-failed', undefined],
    ['into itself', '{"a":{"b":1}}', '[{"op":"move","from":"/a","path":"/a/b/c"}]', 'patch-failed', undefined],
    ['the whole removed', '{"a":1}', '[{"op":"remove","path":""}]', 'patch-failed', undefined],
    ['into a number', '{"a":1.0}', '[{"op":"add","path":"/a/rawJSON","value":1}]', 'patch-failed', undefined],
    ['the prototype', '{"a":1}', '[{"op":"add","path":"/__proto__/x","value":1}]', 'patch-failed', undefined],
    ['a prototype', '{"a":{}}', '[{"op":"add","path":"/a/__proto__","value":{}}]', 'patch-failed', undefined],
    ['an inherited name', '{"a":1}', '[{"op":"test","path":"/toString/length","value":0}]', 'patch-failed', undefined],
    ['no list', '{}', '{"op":"add"}', 'invalid-patch', 'JsonPatch'],
    ['an unknown op', '{}', '[{"op":"insert","path":"/a"}]', 'invalid-patch', 'JsonPatch[0].op'],
    ['no path', '{}', '[{"op":"remove"}]', 'invalid-patch', 'JsonPatch[0].path'],
    ['no pointer', '{}', '[{"op":"remove","path":"a"}]', 'invalid-patch', 'JsonPatch[0].path'],
    ['a bad escape', '{}', '[{"op":"remove","path":"/~2"}]', 'invalid-patch', 'JsonPatch[0].path'],
    ['no value', '{}', '[{"op":"add","path":"/a"}]', 'invalid-patch', 'JsonPatch[0].value'],
    ['no from', '{}', '[{"op":"move","path":"/a"}]', 'invalid-patch', 'JsonPatch[0].from'],
    ['no object', '{}', '[null]', 'invalid-patch', 'JsonPatch[0]'],
  ] as const) {
    test(`refused: ${why}`, () => assert.throws(() => patched(document, patch), refusal(code, expression)));
  }

  test('copies of copies end before they fill the memory', () => {
    const doubling = Array.from({ length: 40 }, () => ({ op: 'copy', from: '/a', path: '/a/-' }));
    assert.throws(() => patched('{"a":[1]}', JSON.stringify(doubling)), refusal('too-costly'));
  });

  test('removing what was added leaves what was there', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.jsonValue()),
        fc.jsonValue(),
        (document, value) => {
          // Keys that parseJson refuses.
          fc.pre(!/"(?:__proto__|constructor|prototype)"/.test(JSON.stringify([document, value])));
          const text = JSON.stringify(document);
          const there = JSON.stringify([
            { op: 'add', path: '/Added', value },
            { op: 'test', path: '/Added', value },
            { op: 'remove', path: '/Added' },
          ]);
          assert.equal(patched(text, there), JSON.stringify(JSON.parse(text)));
        },
      ),
    );
  });
});
