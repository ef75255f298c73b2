import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { normalise } from './strings.ts';

const FORMS: readonly (readonly [string, string])[] = [
  ['Chalmers', 'chalmers'],
  ['  Peter\t\n James ', 'peter james'],
  ['Müller', 'muller'],
  ['MU\u0308LLER', 'muller'],
  ['Strauß', 'strauss'],
  ['STRAUSS', 'strauss'],
  ['Ἀθῆναι Ὀδυσσεύς', 'αθηναι οδυσσευσ'],
  ['Łódź', 'łodz'],
  ['İstanbul', 'istanbul'],
  ['O’Neill', 'oneill'],
  ["O'Neill", 'oneill'],
  ['Jean-Luc', 'jean luc'],
  ['张三', '张三'],
  ['張三丰', '張三丰'],
  ['阿不都·热合曼', '阿不都 热合曼'],
  ['Ａｂｃ１２３', 'abc123'],
  ['北京市，海淀区', '北京市 海淀区'],
  ['ｶﾞｷﾞ', 'ガギ'],
  ['がぎ', 'がぎ'],
  ['한국', '한국'],
  ['กรุงเทพฯ', 'กรุงเทพฯ'.normalize('NFKC')],
  ['ﬁne', 'fine'],
  ['№ 5', 'no 5'],
  ['...', ''],
  ['', ''],
];

for (const [text, expected] of FORMS) {
  test(`"${text}" is compared as "${expected}"`, () => {
    assert.equal(normalise(text), expected);
  });
}

test('no character tells its case or composition, and normalising twice changes nothing', () => {
  for (let code = 0; code <= 0xffff; code += 1) {
    // Surrogates are no characters.
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const text = `a${String.fromCharCode(code)}b`;
    const once = normalise(text);
    assert.equal(normalise(once), once, code.toString(16));
    assert.equal(normalise(text.toUpperCase()), once, code.toString(16));
    assert.equal(normalise(text.normalize('NFD')), once, code.toString(16));
  }
});

test('any text is brought to a form that stays', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.equal(normalise(normalise(text)), normalise(text));
    }),
    { numRuns: 5_000 },
  );
});
