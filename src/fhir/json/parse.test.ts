import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { hl7Example, sharedBundles, sharedBundlesAbsent } from '../../../conformance/support/sample-data.ts';
import { type ErrorCode, MedSealError } from '../../errors.ts';
import type { JsonLimits } from './limits.ts';
import { parseJson } from './parse.ts';

/** Another one with `npm run soak`. */
const SEED = Number(process.env.SEED ?? 20261122);

function refusal(source: string | Uint8Array, limits: Partial<JsonLimits> = {}): MedSealError {
  try {
    parseJson(typeof source === 'string' ? Buffer.from(source) : source, limits);
  } catch (error) {
    assert.ok(error instanceof MedSealError, String(error));
    return error;
  }
  return assert.fail('it was accepted');
}

describe('what is refused', () => {
  const table: [string, ErrorCode, number, string][] = [
    ['', 'malformed-json', 0, '$'],
    ['  ', 'malformed-json', 2, '$'],
    ['{}}', 'malformed-json', 2, '$'],
    ['{} {}', 'malformed-json', 3, '$'],
    ['[1,]', 'malformed-json', 3, '$[1]'],
    ['[1 2]', 'malformed-json', 3, '$[0]'],
    ['[1}', 'malformed-json', 2, '$[0]'],
    ['{"a":1]', 'malformed-json', 6, '$.a'],
    ['{"a":1,}', 'malformed-json', 7, '$'],
    ['{"a"}', 'malformed-json', 4, '$.a'],
    ['{"a":}', 'malformed-json', 5, '$.a'],
    ['{a:1}', 'malformed-json', 1, '$'],
    ["{'a':1}", 'malformed-json', 1, '$'],
    ['{"a":{"b":[0,{"c":tru}]}}', 'malformed-json', 18, '$.a.b[1].c'],
    ['[1,2', 'malformed-json', 4, '$[1]'],
    ['{"a":"b', 'malformed-json', 7, '$.a'],
    ['01', 'malformed-json', 1, '$'],
    ['-', 'malformed-json', 1, '$'],
    ['[-x]', 'malformed-json', 2, '$[0]'],
    ['1.', 'malformed-json', 2, '$'],
    ['.5', 'malformed-json', 0, '$'],
    ['+1', 'malformed-json', 0, '$'],
    ['1e', 'malformed-json', 2, '$'],
    ['1e+', 'malformed-json', 3, '$'],
    ['NaN', 'malformed-json', 0, '$'],
    ['undefined', 'malformed-json', 0, '$'],
    ['nul', 'malformed-json', 0, '$'],
    ['// c\n1', 'malformed-json', 0, '$'],
    ['["\t"]', 'malformed-json', 2, '$[0]'],
    ['["\\x41"]', 'malformed-json', 2, '$[0]'],
    ['["\\u12g4"]', 'malformed-json', 2, '$[0]'],
    ['["\\u12', 'malformed-json', 2, '$[0]'],
    ['["\\', 'malformed-json', 2, '$[0]'],
    ['\u00a01', 'malformed-json', 0, '$'],
    // Lone surrogates, in every order.
    ['["\\ud800"]', 'malformed-json', 2, '$[0]'],
    ['["\\udc00\\ud800"]', 'malformed-json', 2, '$[0]'],
    ['["a\\uD83Dx"]', 'malformed-json', 3, '$[0]'],
    ['["\\ud83d\\ud83d\\ude00"]', 'malformed-json', 2, '$[0]'],
    ['{"\\ud800":1}', 'malformed-json', 2, '$'],
    // Keys that lead to a prototype, in any form.
    ['{"__proto__":1}', 'malformed-json', 2, '$.?'],
    ['{"a":[{"constructor":1}]}', 'malformed-json', 8, '$.a[0].constructor'],
    ['{"prototype":1}', 'malformed-json', 2, '$.prototype'],
    ['{"\\u005f_proto__":1}', 'malformed-json', 2, '$.?'],
    ['{"\\u0063onstructor":1}', 'malformed-json', 2, '$.constructor'],
    // Duplicate keys, in any form.
    ['{"a":1,"a":1}', 'duplicate-key', 8, '$.a'],
    ['{"a":1,"b":{"a":1},"\\u0061":2}', 'duplicate-key', 20, '$.a'],
    ['{"\\u0061":1,"a":2}', 'duplicate-key', 13, '$.a'],
    ['{"é":1,"\\u00e9":2}', 'duplicate-key', 9, '$.?'],
    ['{"":1,"":2}', 'duplicate-key', 7, '$.?'],
    // Once the resource type is known the path begins with it; any other text does not show.
    ['{"resourceType":"Patient","name":[{"given":["x",]}]}', 'malformed-json', 48, 'Patient.name[0].given[1]'],
    ['{"resourceType":"Zhang San","name":x}', 'malformed-json', 35, '$.name'],
    ['{"a":{"resourceType":"Patient","b":x}}', 'malformed-json', 35, '$.a.b'],
    ['{"张三 2":x}', 'malformed-json', 12, '$.?'],
    ['1e400', 'json-limits', 0, '$'],
  ];
  for (const [source, code, offset, expression] of table) {
    test(JSON.stringify(source), () => {
      const error = refusal(source);
      assert.equal(error.code, code, error.message);
      assert.match(error.message, new RegExp(` at byte ${offset}:`));
      assert.equal(error.issues[0]?.expression, expression);
    });
  }

  test('what is not UTF-8', () => {
    const table: [number[], number][] = [
      [[0x22, 0xff, 0x22], 1],
      [[0x22, 0xc0, 0xaf, 0x22], 1],
      [[0x22, 0x61, 0xe4, 0xbd, 0x22], 2],
      [[0x22, 0xed, 0xa0, 0x80, 0x22], 1],
      [[0x22, 0xf5, 0x80, 0x80, 0x80, 0x22], 1],
      [[...Buffer.from('"é', 'latin1'), 0x22], 1],
      [[...Buffer.from('"a"', 'utf16le')], 0],
    ];
    for (const [bytes, offset] of table) {
      const error = refusal(Uint8Array.from(bytes));
      assert.equal(error.code, 'malformed-json');
      assert.ok(offset === 0 || error.message.includes(`at byte ${offset}: not UTF-8`), error.message);
    }
  });

  test('a byte order mark', () => {
    assert.match(refusal('\ufeff{}').message, /at byte 0: a byte order mark/);
  });

  test('a key twice among many', () => {
    const keys = Array.from({ length: 500 }, (_, i) => `"key${i}":${i}`);
    assert.equal(Object.keys(parseJson(Buffer.from(`{${keys.join()}}`)) ?? {}).length, 500);
    for (const again of [0, 31, 32, 33, 499]) {
      const error = refusal(`{${keys.join()},"key${again}":0}`);
      assert.equal(error.code, 'duplicate-key');
      assert.equal(error.issues[0]?.expression, `$.key${again}`);
    }
  });

  test('no value and no cause goes with a refusal', () => {
    for (const source of ['{"name":"Secret","name":1}', '["Secret" "Secret"]', '{"a":Secret}', '["Secret\\ud800"]']) {
      const error = refusal(source);
      assert.equal(error.cause, undefined);
      assert.doesNotMatch(JSON.stringify([error.message, error.issues]), /Secret/);
    }
  });
});

describe('limits', () => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

  test('each holds at its edge', () => {
    const object = (keys: number) => `{${Array.from({ length: keys }, (_, i) => `"k${i}":0`).join()}}`;
    const table: [keyof JsonLimits, number, (size: number) => string][] = [
      ['maxDepth', 3, nested],
      ['maxKeys', 5, object],
      ['maxKeys', 40, object],
      ['maxKeyBytes', 4, (size) => `{"${'k'.repeat(size)}":0}`],
      ['maxNumberBytes', 6, (size) => '1'.repeat(size)],
      ['maxContainers', 4, (size) => `[${Array(size - 1).fill('{}')}]`],
      ['maxKeptNumbers', 2, (size) => `[${Array(size).fill('1.0')}]`],
    ];
    for (const [limit, size, text] of table) {
      assert.doesNotThrow(() => parseJson(Buffer.from(text(size)), { [limit]: size }), limit);
      assert.equal(refusal(text(size + 1), { [limit]: size }).code, 'json-limits', limit);
    }
  });

  test('a million open brackets are refused at the 65th', () => {
    const error = refusal('['.repeat(1_000_000));
    assert.equal(error.code, 'json-limits');
    assert.match(error.message, /at byte 64:/);
    assert.equal(refusal('{"a":'.repeat(1_000_000)).code, 'json-limits');
    assert.doesNotThrow(() => parseJson(Buffer.from(nested(64))));
  });

  test('fifty million bytes of small things are refused before they take memory', () => {
    const bomb = Buffer.alloc(50_000_000, ' {},');
    bomb.write('[');
    assert.equal(refusal(bomb).code, 'json-limits');
    bomb.fill(' 1.0,').write('[');
    assert.equal(refusal(bomb).code, 'json-limits');
    bomb.fill('1');
    assert.equal(refusal(bomb).code, 'json-limits');
  });

  test('fifty million bytes in one string are read', () => {
    const bytes = Buffer.alloc(50_000_000, 'A');
    bytes.write('["');
    bytes.write('"]', bytes.length - 2);
    const value = parseJson(bytes);
    assert.ok(Array.isArray(value) && typeof value[0] === 'string');
    assert.equal(value[0].length, 50_000_000 - 4);
  });
});

describe('beside JSON.parse', () => {
  function parsed(text: string): { value: unknown } | undefined {
    try {
      return { value: JSON.parse(text) };
    } catch {
      return undefined;
    }
  }

  /** What we read, with numbers as JSON.parse would have them; undefined when we refuse. */
  function ours(bytes: Uint8Array): { value: unknown } | undefined {
    try {
      return parsed(JSON.stringify(parseJson(bytes)));
    } catch (error) {
      assert.ok(error instanceof MedSealError, String(error));
      assert.notEqual(error.code, 'internal');
      return undefined;
    }
  }

  test('JSON of any shape is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), fc.boolean(), (json, spaced) => {
        const text = spaced ? JSON.stringify(JSON.parse(json), null, '\t') : json;
        const value = ours(Buffer.from(text));
        if (value === undefined) assert.match(text, /__proto__|constructor|prototype|\\ud[89a-f]/i);
        else assert.deepEqual(value, parsed(text));
      }),
      { seed: SEED, numRuns: 2000 },
    );
  });

  test('what JSON.parse refuses is refused, and what both read is the same', () => {
    const token = fc.constantFrom(...'{}[]:,"\\/-+.eE01729tfn \n', 'true', 'false', 'null', '"a"', '"\\u0061"', '1.50');
    fc.assert(
      fc.property(fc.array(token, { maxLength: 12 }), (tokens) => {
        const text = tokens.join('');
        const value = ours(Buffer.from(text));
        if (value !== undefined) assert.deepEqual(value, parsed(text), text);
      }),
      { seed: SEED, numRuns: 20_000 },
    );
  });

  test('every number comes back as it was written', () => {
    const digits = (min: number) =>
      fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: min, maxLength: 20 });
    const number = fc
      .tuple(fc.constantFrom('', '-'), digits(1), fc.option(digits(1)), fc.option(fc.integer({ min: -30, max: 30 })))
      .map(([sign, whole, fraction, exponent]) => {
        const integer = whole.replace(/^0+(?=.)/, '');
        return `${sign}${integer}${fraction === null ? '' : `.${fraction}`}${exponent === null ? '' : `e${exponent}`}`;
      });
    fc.assert(
      fc.property(number, (text) => {
        assert.equal(JSON.stringify(parseJson(Buffer.from(`[${text}]`))), `[${text}]`);
      }),
      { seed: SEED, numRuns: 5000 },
    );
  });

  test('10,000 mutants of a Bundle end in a value or a MedSealError', () => {
    const source = hl7Example('Bundle-bundle-transaction.json').bytes;
    const outcomes = { read: 0, refused: 0 };
    const place = fc.nat({ max: source.length - 1 });
    const mutation = fc.record({ at: place, length: fc.nat({ max: 8 }), bytes: fc.uint8Array({ maxLength: 4 }) });
    fc.assert(
      fc.property(mutation, ({ at, length, bytes }) => {
        const mutant = Buffer.concat([source.subarray(0, at), bytes, source.subarray(at + length)]);
        const value = ours(mutant);
        if (value === undefined) outcomes.refused++;
        else {
          outcomes.read++;
          assert.deepEqual(value, parsed(mutant.toString()));
        }
      }),
      { seed: SEED, numRuns: 10_000 },
    );
    assert.ok(outcomes.read > 500 && outcomes.refused > 500, JSON.stringify(outcomes));
  });
});

test('the shared bundles come back as they were written', { skip: sharedBundlesAbsent }, () => {
  let decimals = 0;
  let kept = 0;
  for (const { name, bytes } of sharedBundles()) {
    const source = Buffer.from(bytes).toString();
    const written = JSON.stringify(parseJson(bytes));
    assert.ok(written === withoutSpace(source), `${name} changed`);
    for (const [token] of source.matchAll(/"(?:[^"\\]|\\.)*"|-?\d+\.\d+/g)) {
      if (token.startsWith('"')) continue;
      decimals++;
      if (String(Number(token)) !== token) kept++;
    }
  }
  assert.deepEqual({ decimals, kept }, { decimals: 5763, kept: 205 });
});

/** JSON without the space between its tokens, and with each string as JSON.stringify escapes it. */
function withoutSpace(json: string): string {
  return json.replace(/"(?:[^"\\]|\\.)*"|\s+/g, (token) => {
    if (!token.startsWith('"')) return '';
    return token.includes('\\') ? JSON.stringify(JSON.parse(token)) : token;
  });
}
