import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { walkReferences } from './walk.ts';

const A = 'urn:uuid:aaaaaaaa-2ddc-456e-7a09-dea8264671d8';
const B = 'urn:uuid:bbbbbbbb-2ddc-456e-7a09-dea8264671d8';

const DIV = `<div xmlns="http://www.w3.org/1999/xhtml"><p title="${A}">x <a class="l" href="${A}">a</a> <img src='${B}' alt="b"/> ${A}</p></div>`;

const resource = () => ({
  resourceType: 'Observation',
  text: { status: 'generated', div: DIV },
  identifier: [{ system: 'urn:ietf:rfc:3986', value: A, assigner: { reference: A } }],
  subject: { reference: A, display: A },
  performer: [{ reference: 'Practitioner/1' }, { display: 'x' }],
  instantiatesCanonical: A,
  note: [{ text: A, authorReference: { reference: B } }],
  component: [
    { extension: [{ url: 'http://x', valueUri: A }] },
    { extension: [{ url: 'http://x', valueReference: { reference: B } }] },
  ],
  status: 'final',
  _status: { extension: [{ url: 'http://x', valueUuid: B }] },
  contained: [
    { resourceType: 'Patient', id: 'p', managingOrganization: { reference: A }, link: [{ other: { reference: '#' } }] },
  ],
  unknown: { reference: A },
});

function sites(of: object): string[] {
  const found: string[] = [];
  walkReferences(of, ({ kind, path, text }) => {
    found.push(`${kind} ${path} ${text === A ? 'A' : text === B ? 'B' : text}`);
  });
  return found;
}

test('every reference, URI and link of a narrative is visited, with its path', () => {
  assert.deepEqual(
    sites(resource()).sort(),
    [
      'link Observation.text.div A',
      'link Observation.text.div B',
      'reference Observation.contained[0].link[0].other #',
      'reference Observation.contained[0].managingOrganization A',
      'reference Observation.component[1].extension[0].value B',
      'reference Observation.identifier[0].assigner A',
      'reference Observation.note[0].author B',
      'reference Observation.performer[0] Practitioner/1',
      'reference Observation.subject A',
      'uri Observation.component[0].extension[0].url http://x',
      'uri Observation.component[0].extension[0].value A',
      'uri Observation.component[1].extension[0].url http://x',
      'uri Observation.identifier[0].system urn:ietf:rfc:3986',
      'uri Observation.status.extension[0].url http://x',
      'uri Observation.status.extension[0].value B',
    ].sort(),
  );
});

test('what is replaced is replaced in place, and nothing else', () => {
  const rewritten = resource();
  walkReferences(rewritten, (site) => {
    if (site.text === A) site.replace('Patient/1');
    if (site.text === B) site.replace('Binary/2?a=1&b="2"');
  });
  const expected = resource();
  expected.text.div = DIV.replace(`href="${A}"`, 'href="Patient/1"').replace(
    `src='${B}'`,
    'src="Binary/2?a=1&amp;b=&quot;2&quot;"',
  );
  const patient = { reference: 'Patient/1' };
  const binary = { reference: 'Binary/2?a=1&b="2"' };
  assert.deepEqual(rewritten, {
    ...expected,
    identifier: [{ system: 'urn:ietf:rfc:3986', value: A, assigner: patient }],
    subject: { reference: 'Patient/1', display: A },
    note: [{ text: A, authorReference: binary }],
    component: [
      { extension: [{ url: 'http://x', valueUri: 'Patient/1' }] },
      { extension: [{ url: 'http://x', valueReference: binary }] },
    ],
    _status: { extension: [{ url: 'http://x', valueUuid: binary.reference }] },
    contained: [
      { resourceType: 'Patient', id: 'p', managingOrganization: patient, link: [{ other: { reference: '#' } }] },
    ],
  });
});

test('an Expression’s reference is a URI, and repeated URIs are each visited', () => {
  const library = { resourceType: 'Measure', library: [A], group: [{ population: [{ criteria: { reference: A } }] }] };
  assert.deepEqual(sites(library), ['uri Measure.group[0].population[0].criteria.reference A']);
  const plan = { resourceType: 'CarePlan', instantiatesUri: [A, B], instantiatesCanonical: [A] };
  assert.deepEqual(sites(plan), ['uri CarePlan.instantiatesUri[0] A', 'uri CarePlan.instantiatesUri[1] B']);
});

test('ampersands of a link are read and written as XML', () => {
  const narrative = { resourceType: 'Basic', text: { div: '<div><a href="https://a/?x=1&amp;y=2">x</a></div>' } };
  const seen: string[] = [];
  walkReferences(narrative, (site) => {
    seen.push(site.text);
    site.replace(`${site.text}&z=3`);
  });
  assert.deepEqual(seen, ['https://a/?x=1&y=2']);
  assert.equal(narrative.text.div, '<div><a href="https://a/?x=1&amp;y=2&amp;z=3">x</a></div>');
});

test('a narrative is searched in linear time', () => {
  assert.deepEqual(sites({ resourceType: 'Basic', text: { div: '<a '.repeat(300_000) } }), []);
  assert.deepEqual(sites({ resourceType: 'Basic', text: { div: `<a ${'href '.repeat(100_000)}` } }), []);
});

test('every Reference of HL7’s examples is visited', () => {
  const examples = dirname(createRequire(import.meta.url).resolve('hl7.fhir.r4.examples/package.json'));
  let count = 0;
  for (const file of readdirSync(examples).filter((name) => /^[A-R].*\.json$/.test(name))) {
    if (statSync(join(examples, file)).size > 50_000) continue;
    const content = JSON.parse(readFileSync(join(examples, file), 'utf8'));
    const written: string[] = [];
    collectReferences(content, written);
    const visited: string[] = [];
    walkReferences(content, ({ kind, text, path }) => {
      if (kind === 'reference' || path.endsWith('.reference')) visited.push(text);
    });
    assert.deepEqual(visited.sort(), written.sort(), file);
    count += visited.length;
  }
  assert.ok(count > 2_000, String(count));
});

/** Every string property `reference`, whatever holds it. */
function collectReferences(value: unknown, found: string[]): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    if (key === 'reference' && typeof member === 'string') found.push(member);
    else collectReferences(member, found);
  }
}

test('what has another shape than its type says is no error', () => {
  for (const shape of ['x', 7, null, [], [null], [[]], {}, [{}], [{ reference: 7 }], true]) {
    const odd = {
      resourceType: 'Observation',
      subject: shape,
      text: shape,
      contained: shape,
      note: shape,
      _status: shape,
    };
    assert.doesNotThrow(() => walkReferences(odd, () => undefined));
  }
  assert.deepEqual(sites({}), []);
  assert.deepEqual(sites({ resourceType: 'Nonsense', subject: { reference: A } }), []);
});
