import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatReference, type ParsedReference, parseCanonical, parseReference } from './reference.ts';

const UUID = 'c72aa430-2ddc-456e-7a09-dea8264671d8';

const PARSED: readonly (readonly [string, ParsedReference])[] = [
  ['Patient/23', { kind: 'relative', type: 'Patient', id: '23' }],
  ['Patient/a.B-1', { kind: 'relative', type: 'Patient', id: 'a.B-1' }],
  ['Patient/23/_history/4', { kind: 'relative', type: 'Patient', id: '23', version: '4' }],
  ['https://a.org/fhir/Patient/23', { kind: 'absolute', base: 'https://a.org/fhir', type: 'Patient', id: '23' }],
  [
    'http://a.org:8080/x/fhir/Patient/23/_history/4',
    { kind: 'absolute', base: 'http://a.org:8080/x/fhir', type: 'Patient', id: '23', version: '4' },
  ],
  ['https://a.org/Patient/Patient/23', { kind: 'absolute', base: 'https://a.org/Patient', type: 'Patient', id: '23' }],
  ['HTTPS://A.org/Patient/23', { kind: 'absolute', base: 'HTTPS://A.org', type: 'Patient', id: '23' }],
  [`urn:uuid:${UUID}`, { kind: 'urn', urn: `urn:uuid:${UUID}` }],
  [`URN:UUID:${UUID}`, { kind: 'urn', urn: `urn:uuid:${UUID}` }],
  ['urn:oid:1.2.840.0', { kind: 'urn', urn: 'urn:oid:1.2.840.0' }],
  ['#p1', { kind: 'fragment', id: 'p1' }],
  ['#', { kind: 'fragment', id: '' }],
  ['Patient?identifier=s|1&x=y', { kind: 'conditional', type: 'Patient', query: 'identifier=s|1&x=y' }],
  ['https://a.org/about', { kind: 'uri', uri: 'https://a.org/about' }],
  ['https://a.org/fhir/Nonsense/1', { kind: 'uri', uri: 'https://a.org/fhir/Nonsense/1' }],
  ['https://a.org/fhir/Patient/23?x=y', { kind: 'uri', uri: 'https://a.org/fhir/Patient/23?x=y' }],
  ['https://a.org/fhir/Patient/23#x', { kind: 'uri', uri: 'https://a.org/fhir/Patient/23#x' }],
  ['https://a.org/fhir/Patient/23/_history', { kind: 'uri', uri: 'https://a.org/fhir/Patient/23/_history' }],
  ['https:///Patient/1', { kind: 'uri', uri: 'https:///Patient/1' }],
  ['urn:nbn:de:1', { kind: 'uri', uri: 'urn:nbn:de:1' }],
  ['mailto:a@b', { kind: 'uri', uri: 'mailto:a@b' }],
];

for (const [text, expected] of PARSED) {
  test(`${text} is ${expected.kind}`, () => {
    assert.deepEqual(parseReference(text), expected);
  });
}

test('what is no reference is refused', () => {
  const malformed = [
    '',
    'Patient',
    'Patient/',
    'Patient/a b',
    'Patient/a_b',
    `Patient/${'a'.repeat(65)}`,
    'Patient/1/2',
    'Patient/1/_history/',
    'Patient/1/_history/a/b',
    'patient/1',
    'Nonsense/1',
    '/Patient/1',
    '../Patient/1',
    'Patient?',
    'Nonsense?a=b',
    '#a b',
    'urn:uuid:123',
    'urn:oid:9.1',
    'urn:oid:1.02',
    'http://a b/Patient/1',
    'just text',
  ];
  for (const text of malformed) assert.equal(parseReference(text), undefined, text);
});

test('a canonical has a version and a fragment', () => {
  assert.deepEqual(parseCanonical('http://a/ValueSet/x'), { kind: 'canonical', url: 'http://a/ValueSet/x' });
  assert.deepEqual(parseCanonical('http://a/x|1.0#f'), {
    kind: 'canonical',
    url: 'http://a/x',
    version: '1.0',
    fragment: 'f',
  });
  assert.deepEqual(parseCanonical('#f|g'), { kind: 'canonical', url: '', fragment: 'f|g' });
});

test('what is parsed is written back', () => {
  for (const [text, reference] of PARSED) {
    assert.equal(formatReference(reference), text.replace(/^URN:UUID/, 'urn:uuid'));
  }
  for (const text of ['http://a/x', 'http://a/x|1.0', 'http://a/x|1.0#f', 'http://a/x#f']) {
    assert.equal(formatReference(parseCanonical(text)), text);
  }
});

test('any text is parsed in bounded time, without an error', () => {
  const part = fc.constantFrom(
    'Patient',
    '/',
    '_history',
    'http://',
    '?',
    '#',
    '|',
    'urn:uuid:',
    UUID,
    '1',
    '.',
    '-',
    ' ',
    '张',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(part).map((parts) => parts.join('')),
      ),
      (text) => {
        const reference = parseReference(text);
        if (reference !== undefined && reference.kind !== 'urn') assert.equal(formatReference(reference), text);
      },
    ),
    { numRuns: 5_000 },
  );
  parseReference(`http://${'a/'.repeat(100_000)}`);
  parseReference(`Patient/${'1/'.repeat(100_000)}`);
});
