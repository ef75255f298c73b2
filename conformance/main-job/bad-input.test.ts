/** What is not acceptable is refused by name, stores nothing, and costs a bounded amount of memory. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import type { OperationOutcome } from '@medplum/fhirtypes';
import type { Answer } from '../support/fhir-client.ts';
import { hl7Example } from '../support/sample-data.ts';
import { seed } from '../support/seed.ts';
import { startWorld } from './world.ts';

const MEBIBYTE = 1024 * 1024;
/**
 * Of the server's process while hostile bodies of the greatest size are parsed: its heap’s limit (270 MB), what lies
 * outside the heap (two young generations, buffers of bodies under way, code), and as much again for a parse's garbage.
 */
const MEMORY_LIMIT = 700 * MEBIBYTE;
const MUTANTS = 2000;

/** A body for `POST Patient`, and what must be said of it. */
type Bad = readonly [what: string, body: string | Buffer, code: string, expression: string | undefined];

const deep = (open: string, close: string, inner = '0') =>
  `{"resourceType":"Patient","a":${open.repeat(10_000)}${inner}${close.repeat(10_000)}}`;
const patient = (members: string) => `{"resourceType":"Patient",${members}}`;

const NOT_JSON: readonly Bad[] = [
  ['nothing', '', 'malformed-json', undefined],
  ['text', 'hello', 'malformed-json', undefined],
  ['XML', '<Patient xmlns="http://hl7.org/fhir"/>', 'malformed-json', undefined],
  ['two values', '{}{}', 'malformed-json', undefined],
  ['a trailing comma', patient('"active":true,'), 'malformed-json', undefined],
  ['single quotes', "{'resourceType':'Patient'}", 'malformed-json', undefined],
  ['NaN', patient('"a":NaN'), 'malformed-json', undefined],
  ['a byte order mark', `\ufeff${patient('"active":true')}`, 'malformed-json', undefined],
  ['UTF-16', Buffer.from(patient('"active":true'), 'utf16le'), 'malformed-json', undefined],
  [
    'bytes that are not UTF-8',
    Buffer.concat([Buffer.from('{"resourceType":"Patient","a":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
    'malformed-json',
    undefined,
  ],
  ['a lone surrogate', patient('"a":"\\ud800"'), 'malformed-json', 'Patient.a'],
  ['a raw line break in a string', patient('"a":"\n"'), 'malformed-json', 'Patient.a'],
  ['a duplicate key', patient('"active":true,"active":false'), 'duplicate-key', 'Patient.active'],
  ['a duplicate key, escaped', patient('"active":true,"\\u0061ctive":false'), 'duplicate-key', 'Patient.active'],
  [
    'a duplicate key inside',
    patient('"name":[{"family":"a"},{"family":"a","family":"b"}]'),
    'duplicate-key',
    'Patient.name[1].family',
  ],
  ['__proto__', patient('"__proto__":{"active":true}'), 'malformed-json', 'Patient.?'],
  ['__proto__, escaped', patient('"\\u005f_proto__":{"active":true}'), 'malformed-json', 'Patient.?'],
  [
    'constructor',
    patient('"name":[{"constructor":{"prototype":{}}}]'),
    'malformed-json',
    'Patient.name[0].constructor',
  ],
  ['10,000 lists', deep('[', ']'), 'json-limits', undefined],
  ['10,000 objects', deep('{"a":', '}'), 'json-limits', undefined],
  ['10,000 contained resources', deep('{"resourceType":"Patient","contained":[', ']}', '{}'), 'json-limits', undefined],
  ['a key of 1 MiB', patient(`"${'k'.repeat(MEBIBYTE)}":1`), 'json-limits', undefined],
  ['10,000 keys', patient(Array.from({ length: 10_000 }, (_, n) => `"k${n}":1`).join()), 'json-limits', undefined],
  [
    'a number of 10,000 digits',
    patient(`"multipleBirthInteger":${'1'.repeat(10_000)}`),
    'json-limits',
    'Patient.multipleBirthInteger',
  ],
  ['three million lists', patient(`"a":[${Array(3_000_000).fill('[]').join()}]`), 'json-limits', undefined],
];

const NOT_FHIR: readonly Bad[] = [
  ['a list', '[]', 'invalid-resource', undefined],
  ['null', 'null', 'invalid-resource', undefined],
  ['no type', '{}', 'invalid-resource', 'Patient.resourceType'],
  [
    'another type',
    '{"resourceType":"Observation","status":"final","code":{"text":"x"}}',
    'invalid-resource',
    'Patient.resourceType',
  ],
  ['an unknown element', patient('"foo":1'), 'invalid-resource', 'Patient.foo'],
  ['an unknown element inside', patient('"name":[{"family":"x","foo":{}}]'), 'invalid-resource', 'Patient.name[0].foo'],
  [
    'an unknown element in what is contained',
    patient('"contained":[{"resourceType":"Organization","id":"a","foo":1}]'),
    'invalid-resource',
    'Patient.contained[0].foo',
  ],
  ['text where an object belongs', patient('"name":["x"]'), 'invalid-resource', 'Patient.name[0]'],
  ['an object where a list belongs', patient('"name":{"family":"x"}'), 'invalid-resource', 'Patient.name'],
  ['a number where text belongs', patient('"gender":1'), 'invalid-resource', 'Patient.gender'],
  ['text where a boolean belongs', patient('"active":"true"'), 'invalid-resource', 'Patient.active'],
  ['a date that is none', patient('"birthDate":"1980-13-01"'), 'invalid-resource', 'Patient.birthDate'],
  ['two of a choice', patient('"deceasedBoolean":true,"deceasedDateTime":"2020"'), 'invalid-resource', undefined],
  ['a choice of a type that it has not', patient('"deceasedString":"x"'), 'invalid-resource', 'Patient.deceasedString'],
  ['an empty object', patient('"maritalStatus":{}'), 'invalid-resource', 'Patient.maritalStatus'],
  ['an empty list', patient('"name":[]'), 'invalid-resource', 'Patient.name'],
  ['empty text', patient('"language":""'), 'invalid-resource', 'Patient.language'],
  ['null', patient('"language":null'), 'invalid-resource', 'Patient.language'],
  ['a missing required element', patient('"link":[{"type":"seealso"}]'), 'invalid-resource', 'Patient.link[0].other'],
  [
    'a reference that is none',
    patient('"managingOrganization":{"reference":"not a reference"}'),
    'invalid-resource',
    'Patient.managingOrganization.reference',
  ],
  [
    'a dangling urn:uuid',
    patient(`"managingOrganization":{"reference":"urn:uuid:${randomUUID()}"}`),
    'unresolved-reference',
    'Patient.managingOrganization',
  ],
  [
    'a condition that matches nothing',
    patient('"managingOrganization":{"reference":"Organization?name=nobody"}'),
    'unresolved-reference',
    'Patient.managingOrganization',
  ],
];

suite('bad input', async () => {
  const world = await startWorld();
  const client = world.as('hospital-a');
  const { pid } = JSON.parse(readFileSync(join(world.node.dataDirectory, 'server.json'), 'utf8')) as { pid: number };
  const rows = async () =>
    (
      await world.rows<{ n: string }>(
        'select (select count(*) from resource_version) + (select count(*) from idempotency) as n',
      )
    )[0]?.n;

  for (const [group, cases] of Object.entries({ 'what is not JSON': NOT_JSON, 'what is not FHIR': NOT_FHIR })) {
    test(`${group} is refused by name, and nothing is stored`, async () => {
      const before = await rows();
      for (const [what, body, code, expression] of cases) {
        const answer = await client.post('Patient', body, { 'idempotency-key': randomUUID() });
        assertRefused(answer, code, expression, what);
      }
      assert.equal(await rows(), before);
    });
  }

  test('truncated JSON is refused wherever it ends, and nothing is stored', async () => {
    const whole = Buffer.from(hl7Example('Patient-example.json').bytes);
    const before = await rows();
    for (let end = 0; end < whole.length - 2; end += 97) {
      const answer = await client.put('Patient/example', whole.subarray(0, end));
      assertRefused(answer, 'malformed-json', undefined, `at byte ${end}`);
    }
    assert.equal(await rows(), before);
  });

  test('a bundle with one bad entry stores nothing, and the entry is named', async () => {
    const before = await rows();
    const good = { resource: { resourceType: 'Patient' }, request: { method: 'POST', url: 'Patient' } };
    const bad = [
      [{ ...good, resource: { resourceType: 'Patient', foo: 1 } }, 'invalid-resource', 'Bundle.entry[99].resource.foo'],
      [
        {
          ...good,
          resource: {
            resourceType: 'Patient',
            link: [{ other: { reference: `urn:uuid:${randomUUID()}` }, type: 'seealso' }],
          },
        },
        'unresolved-reference',
        'Bundle.entry[99].resource.link[0].other',
      ],
      [
        { ...good, request: { method: 'POST', url: 'Observation' } },
        'invalid-resource',
        'Bundle.entry[99].resource.resourceType',
      ],
      [{ resource: good.resource }, 'invalid-bundle', 'Bundle.entry[99].request'],
    ] as const;
    for (const [entry, code, expression] of bad) {
      const answer = await client.post('', {
        resourceType: 'Bundle',
        type: 'transaction',
        entry: [...Array(99).fill(good), entry],
      });
      assertRefused(answer, code, expression, code);
    }
    assert.equal(await rows(), before);
  });

  test('50 MB are refused, announced or not, many at once', async () => {
    const before = await rows();
    const body = Buffer.alloc(50 * MEBIBYTE, 'x');
    for (const answer of await Promise.all([1, 2, 3, 4].map(() => client.post('Patient', body)))) {
      assertRefused(answer, 'body-too-large', undefined, 'announced');
    }
    for (const status of await Promise.all([1, 2, 3].map(() => sendChunked(body)))) {
      assert.ok(status === 413 || status === 429 || status === 'closed', String(status));
    }
    assert.equal(await rows(), before);
  });

  test('bodies just below the limit, full of what costs most, are answered one way or the other', async () => {
    const filled = (piece: string, bytes: number) =>
      Array(Math.floor(bytes / (piece.length + 1)))
        .fill(piece)
        .join();
    const text = (characters: string) => patient(`"text":{"status":"generated","div":"<div>${characters}</div>"}`);
    const bodies = [
      patient(`"name":[${filled('{"family":"x"}', 11 * MEBIBYTE)}]`),
      patient(`"name":[${filled('{"foo":0.10}', 3 * MEBIBYTE)}]`),
      patient(`"a":"${'\\u0041'.repeat(1.9 * MEBIBYTE)}"`),
      `{"resourceType":"Bundle","type":"batch","entry":[${filled('{}', 2.7 * MEBIBYTE)}]}`,
      text('x'.repeat(11.9 * MEBIBYTE)),
      text('王'.repeat(3.9 * MEBIBYTE)),
      `{"resourceType":"Binary","contentType":"text/plain","data":"${'QUJD'.repeat(2.9 * MEBIBYTE)}"}`,
    ];
    for (const body of bodies) {
      const type = body.includes('"Binary"') ? 'Binary' : 'Patient';
      const answers = await Promise.all([client.post(type, body), client.post('', body), client.post(type, body)]);
      for (const { status, text } of answers) assert.ok(status < 500, text.slice(0, 500));
    }
  });

  test('parameters, headers and paths that are hostile are answered with 4xx', async () => {
    const many = Array.from({ length: 400 }, (_, n) => `x${n}`).join();
    for (const [path, headers] of [
      ['Patient?identifier=%00', {}],
      ['Patient?identifier=%ff%fe', {}],
      ['Patient?%ZZ=1', {}],
      [`Patient?${'a=b&'.repeat(2000)}`, {}],
      [`Patient?${'_count=1&'.repeat(3)}`, {}],
      [`Patient?family=${'x'.repeat(6000)}`, {}],
      ['Observation?subject.subject.subject.subject.family=x', {}],
      [`Observation?${'patient.'.repeat(40)}name=x`, {}],
      ['Patient?_has:Observation:patient:_has:Observation:patient:_has:Observation:patient:code=x', {}],
      [`Patient?_sort=${Array(500).fill('family').join()}`, {}],
      ['Patient?__proto__=1', {}],
      ['Patient?constructor=1', {}],
      ['constructor', {}],
      ['__proto__/1', {}],
      ['Patient/..%2f..%2fadmin', {}],
      ['Patient/%', {}],
      ['Patient', { 'if-none-match': '\u00ff'.repeat(100) }],
      ['Patient', { prefer: 'return='.repeat(500) }],
      ['Patient', { accept: `${'a/b,'.repeat(1000)}` }],
      ['Patient', { authorization: `Bearer ${'x'.repeat(9000)}` }],
    ] as const) {
      const answer = await client.get(path, headers);
      assert.ok(answer.status < 500, `${path.slice(0, 100)}: ${answer.text.slice(0, 500)}`);
      assert.match(answer.text, /^\{"resourceType":/, path.slice(0, 100));
    }
    assert.equal((await client.get(`Patient?identifier=${many}`)).status, 200, 'many alternatives are a search');
    const tooLong = await client.get(`Patient?family=${'x'.repeat(20_000)}`);
    assertRefused(tooLong, 'uri-too-long', undefined, 'a URL of 20 kB');
  });

  test('what is not HTTP is answered as such, and the connection ends', async () => {
    for (const text of [
      'GARBAGE\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      'POST /hospital-a/fhir/Patient HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n',
      'GET /\u00e9 HTTP/1.1\r\nHost: x\r\n\r\n',
    ]) {
      const answer = await sendRaw(text);
      assert.match(answer, /^HTTP\/1\.1 400 [\s\S]*\{"resourceType":"OperationOutcome"/, JSON.stringify(text));
    }
  });

  test(`${MUTANTS} mutants of good requests get an answer below 500, and the rows that their answers promise`, async (t) => {
    const random = seed(t);
    const originals = [
      'Patient-example.json',
      'Observation-example.json',
      'Encounter-f001.json',
      'Bundle-bundle-transaction.json',
    ].map((name) => Buffer.from(hl7Example(name).bytes.filter((byte) => byte > 0x1f)));
    const pieces = [
      '{',
      '}',
      '[',
      ']',
      '"',
      ',',
      ':',
      'null',
      '1e999',
      '-',
      '\\u0000',
      '\\ud800',
      'true',
      '\0',
      '{"a":',
      '"__proto__":',
      '[[[[',
      'urn:uuid:x',
      '?',
      '#',
      '|',
      '$',
      '\u00ff',
    ];
    for (let n = 0; n < MUTANTS; n++) {
      const original = random.pick(originals);
      const at = random.integer(original.length);
      const cut = random.integer(8);
      const body = Buffer.concat([
        original.subarray(0, at),
        Buffer.from(random.pick(pieces)),
        original.subarray(at + cut),
      ]);
      const path = random.pick(['', 'Patient', 'Observation', 'Encounter', 'Bundle', 'Parameters']);
      const answer = await client.post(path, body);
      assert.ok(answer.status < 500, `mutant ${n}: ${answer.text.slice(0, 500)}`);
    }
  });

  test('after all this the server serves, and never took more memory than it may', async (t) => {
    assert.equal((await client.get('Patient?_count=1')).status, 200);
    const [, peak = ''] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    t.diagnostic(`at most ${Math.round(Number(peak) / 1024)} MB`);
    assert.ok(Number(peak) * 1024 < MEMORY_LIMIT, `${Math.round(Number(peak) / 1024)} MB`);
  });

  /** Without saying how long it is. */
  function sendChunked(body: Buffer): Promise<number | 'closed'> {
    return new Promise((resolve) => {
      const url = new URL(client.base);
      void world.node.token('hospital-a').then((token) => {
        const sent = request(
          {
            host: url.hostname,
            port: url.port,
            method: 'POST',
            path: `${url.pathname}/Patient`,
            agent: new Agent(),
            headers: {
              authorization: `Bearer ${token}`,
              'content-type': 'application/fhir+json',
              'transfer-encoding': 'chunked',
            },
          },
          (response) => {
            response.resume();
            resolve(response.statusCode ?? 0);
          },
        );
        // The server may hang up on what it will not take.
        sent.on('error', () => resolve('closed'));
        sent.end(body);
      });
    });
  }

  function sendRaw(text: string): Promise<string> {
    const { hostname, port } = new URL(client.base);
    return new Promise((resolve, reject) => {
      let answer = '';
      const socket = connect(Number(port), hostname, () => socket.write(text));
      socket.setEncoding('utf8').on('data', (part) => (answer += part));
      socket.on('close', () => resolve(answer));
      socket.on('error', reject);
    });
  }
});

function assertRefused(answer: Answer, code: string, expression: string | undefined, what: string): void {
  assert.ok(answer.status >= 400 && answer.status < 500, `${what}: ${answer.status} ${answer.text.slice(0, 500)}`);
  const { resourceType, issue } = answer.json<OperationOutcome>();
  assert.equal(resourceType, 'OperationOutcome', what);
  assert.equal(issue[0]?.details?.coding?.[0]?.code, code, `${what}: ${answer.text.slice(0, 500)}`);
  if (expression !== undefined) {
    const expressions = issue.flatMap((one) => one.expression ?? []);
    assert.ok(expressions.includes(expression), `${what}: ${expressions}`);
  }
  assert.ok(answer.text.length < 50_000, `${what}: the answer is long itself`);
}
