import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MedSealError } from '../../errors.ts';
import type { Expression } from './ast.ts';
import { parseExpression } from './parser.ts';

/** An expression with every grouping shown, so that precedence can be read off. */
function show(expression: Expression): string {
  switch (expression.kind) {
    case 'literal':
      return typeof expression.literal.value === 'object'
        ? `${expression.literal.value.value}'${expression.literal.value.code}'`
        : `${expression.literal.type.slice(7)}:${expression.literal.value}`;
    case 'empty':
      return '{}';
    case 'variable':
      return `%${expression.name}`;
    case 'special':
      return expression.name;
    case 'member':
      return expression.on === undefined ? expression.name : `${show(expression.on)}.${expression.name}`;
    case 'call': {
      const call = `${expression.name}(${expression.args.map(show).join(', ')})`;
      return expression.on === undefined ? call : `${show(expression.on)}.${call}`;
    }
    case 'indexer':
      return `${show(expression.on)}[${show(expression.index)}]`;
    case 'negate':
      return `-(${show(expression.operand)})`;
    case 'binary':
      return `(${show(expression.left)} ${expression.operator} ${show(expression.right)})`;
    case 'type':
      return `(${show(expression.on)} ${expression.operator} ${expression.type})`;
  }
}

const PARSED: readonly (readonly [string, string])[] = [
  ['a.b.c', 'a.b.c'],
  ['a or b and c', '(a or (b and c))'],
  ['a and b or c', '((a and b) or c)'],
  ['a implies b or c', '(a implies (b or c))'],
  ['a = b and c != d', '((a = b) and (c != d))'],
  ["'#'+id in x", '((String:# + id) in x)'],
  ['1 + 2 * 3 - 4', '((Integer:1 + (Integer:2 * Integer:3)) - Integer:4)'],
  ['a | b = c | d', '((a | b) = (c | d))'],
  ['a <= b = c', '((a <= b) = c)'],
  ['x is Quantity | y', '((x is Quantity) | y)'],
  ['a + b is System.String', '((a + b) is System.String)'],
  ['(a as Quantity).value', '(a as Quantity).value'],
  ['-1.5', '-(Decimal:1.5)'],
  ['a - -1', '(a - -(Integer:1))'],
  ['a[0].b[1 + 1]', 'a[Integer:0].b[(Integer:1 + Integer:1)]'],
  ['{}', '{}'],
  ['a.where($this.b > $index).exists()', 'a.where(($this.b > $index)).exists()'],
  ['expansion.contains.contains("x") '.replaceAll('"', "'"), 'expansion.contains.contains(String:x)'],
  ['path contains is', '(path contains is)'],
  ['text.`div`', 'text.div'],
  ['%resource.`a b`', '%resource.a b'],
  ["%'vs-name' & %`ext-x`", '(%vs-name & %ext-x)'],
  ['@2024-05', 'Date:2024-05'],
  ['@2024-05-17T10:30:00+08:00', 'DateTime:2024-05-17T10:30:00+08:00'],
  ['@2024T', 'DateTime:2024'],
  ['@T10:30', 'Time:10:30'],
  ["4 days + 10 'mg'", "(4'd' + 10'mg')"],
  ["'it\\'s \\u4e2d\\n\\\\'", "String:it's 中\n\\"],
  ['a // comment\n.b /* and\nanother */ .c', 'a.b.c'],
  ['true xor false', '(Boolean:true xor Boolean:false)'],
  ['iif(a, b, c)', 'iif(a, b, c)'],
];

for (const [source, expected] of PARSED) {
  test(`parses ${source}`, () => {
    assert.equal(show(parseExpression(source)), expected);
  });
}

const MALFORMED: readonly (readonly [string, RegExp])[] = [
  ['', /ends too early/],
  ['a.', /ends too early/],
  ['a b', /Unexpected token at offset 2/],
  ['a.where(b', /Expected "\)" at offset 9/],
  ['a[1', /Expected "\]"/],
  ["'open", /Unexpected character at offset 0/],
  ["'\\q'", /Unknown escape/],
  ['a ; b', /Unexpected character at offset 2/],
  ['@', /An empty date/],
  ['@T', /An empty date/],
  ['1 constructor', /Unexpected token/],
  ['{a}', /Expected "}"/],
  [`${'('.repeat(500)}a${')'.repeat(500)}`, /nests too deeply/],
];

for (const [source, message] of MALFORMED) {
  test(`refuses ${source.slice(0, 20) || 'nothing'}`, () => {
    assert.throws(
      () => parseExpression(source),
      (error) => error instanceof MedSealError && error.code === 'invalid-expression' && message.test(error.message),
    );
  });
}
