import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decimalOf, decimalText, isDecimal } from './decimals.ts';
import { parseJson } from './parse.ts';

const parse = (text: string) => parseJson(Buffer.from(text));

test('a number in its usual form is a plain number', () => {
  for (const text of ['0', '-1', '12.5', '0.5', '-0.001', '0.000001', '1e+21', '1.5e-7', '9007199254740991']) {
    assert.equal(parse(text), Number(text), text);
    assert.equal(decimalText(parse(text)), text);
  }
});

test('a number in another form keeps it', () => {
  const texts = [
    '1.0',
    '0.10',
    '-0',
    '0.0',
    '-0.0',
    '1e3',
    '1E3',
    '1e21',
    '1e+3',
    '0.0000001',
    '100.00',
    '12345678901234567890',
    '0.1234567890123456789',
    '1e-400',
  ];
  for (const text of texts) {
    const value = parse(text);
    assert.ok(isDecimal(value), text);
    assert.notEqual(typeof value, 'number', text);
    assert.equal(decimalText(value), text);
    assert.equal(decimalOf(value), Number(text));
    assert.equal(JSON.stringify({ value }), `{"value":${text}}`);
  }
});

test('the form is kept wherever the number stands, and only there', () => {
  const text = '{"resourceType":"Observation","a":[1,1.0,{"b":2.50,"\\u0063":[[-0]]}],"d":"1.0","e":7}';
  assert.equal(JSON.stringify(parse(text)), text.replace('\\u0063', 'c'));
});

test('what is no number is no decimal', () => {
  for (const value of ['1.0', null, true, {}, [], { rawJSON: '1.0' }, undefined]) {
    assert.ok(!isDecimal(value));
    assert.equal(decimalOf(value), undefined);
    assert.equal(decimalText(value), undefined);
  }
});
