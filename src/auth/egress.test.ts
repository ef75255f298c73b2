import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { MedSealError } from '../errors.ts';
import { createEgress, type EgressOptions } from './egress.ts';

const refused = (error: unknown) => error instanceof MedSealError && error.code === 'egress-refused';
const failed = (error: unknown) => error instanceof MedSealError && error.code === 'egress-failed';

/** Spellings of addresses that are not public, as a URL's host. */
const HIDDEN_HOSTS = [
  ...[
    '127.0.0.1',
    '127.1',
    '127.0.1',
    '2130706433',
    '0x7f000001',
    '0x7f.0.0.1',
    '0x7F.1',
    '017700000001',
    '0177.0.0.1',
  ],
  ...[
    '127.0.0.1.',
    '127.000.000.001',
    '１２７.0.0.1',
    '①②⑦.⓪.⓪.①',
    '127。0。0。1',
    '%31%32%37.0.0.1',
    '0',
    '0.0.0.0',
    '00',
  ],
  ...[
    '10.0.0.1',
    '0xa000001',
    '172.16.0.1',
    '2886729729',
    '192.168.1.1',
    '0xc0a80101',
    '169.254.169.254',
    '2852039166',
  ],
  ...[
    '0xa9.0xfe.0xa9.0xfe',
    '0251.0376.0251.0376',
    '169.254.43518',
    '100.100.100.200',
    '168.63.129.16',
    '255.255.255.255',
  ],
  ...[
    '[::1]',
    '[::]',
    '[0:0:0:0:0:0:0:1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::ffff:a9fe:a9fe]',
    '[::127.0.0.1]',
  ],
  ...['[64:ff9b::7f00:1]', '[2002:7f00:1::]', '[fe80::1]', '[fc00::1]', '[fd00:ec2::254]', '[ff02::1]'],
];

async function serve(t: TestContext, listener: RequestListener): Promise<number> {
  const server: Server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function resolving(...answers: readonly (readonly string[])[]): {
  lookup: NonNullable<EgressOptions['lookup']>;
  asked: string[];
} {
  const asked: string[] = [];
  const lookup: NonNullable<EgressOptions['lookup']> = (host, _options, callback) => {
    const answer = answers[Math.min(asked.length, answers.length - 1)] ?? [];
    asked.push(host);
    const addresses: LookupAddress[] = answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    callback(null, addresses);
  };
  return { lookup, asked };
}

describe('egress: what may be called', () => {
  for (const host of HIDDEN_HOSTS) {
    test(`https://${host}/ is refused before any connection`, async () => {
      const egress = createEgress({ allow: [] });
      assert.throws(() => egress.check(`https://${host}/jwks`), refused);
      await assert.rejects(egress.get(`https://${host}/jwks`), refused);
    });
  }
  for (const url of [
    'http://example.org/jwks',
    'ftp://example.org/jwks',
    'file:///etc/passwd',
    'data:application/json,{}',
    'https://user@example.org/jwks',
    'https://:secret@example.org/jwks',
    'https://example.org/jwks#keys',
    '//example.org/jwks',
    'jwks',
    '',
  ]) {
    test(`"${url}" is refused`, () => assert.throws(() => createEgress({ allow: [] }).check(url), refused));
  }

  test('https to a public name or address passes the check', () => {
    const egress = createEgress({ allow: [] });
    for (const url of [
      'https://example.org/jwks',
      'https://8.8.8.8/jwks',
      'https://example.org:8443/',
      'HTTPS://EXAMPLE.ORG',
    ]) {
      egress.check(url);
    }
  });

  test('an allowed host:port must match exactly', () => {
    const egress = createEgress({ allow: ['Keys.internal:8080', '10.0.0.5:443', 'bare.internal:80'] });
    for (const url of [
      'http://keys.internal:8080/a',
      'https://10.0.0.5/a',
      'https://0xa000005/a',
      'http://bare.internal/a',
    ]) {
      egress.check(url);
    }
    for (const url of [
      'http://keys.internal/a',
      'http://keys.internal:8081/a',
      'http://a.keys.internal:8080/a',
      'http://keys.internal.:8080/a',
      'http://10.0.0.5:8443/a',
      'https://10.0.0.5:8443/a',
      'http://bare.internal:443/a',
    ]) {
      assert.throws(() => egress.check(url), refused, url);
    }
  });
});

describe('egress: what a name resolves to', () => {
  for (const [what, answer] of [
    ['loopback', ['127.0.0.1']],
    ['the metadata address', ['169.254.169.254']],
    ['a mapped address', ['::ffff:127.0.0.1']],
    ['a public and a private address', ['8.8.8.8', '127.0.0.1']],
    ['a private and a public address', ['10.0.0.1', '8.8.8.8']],
    ['nothing', []],
  ] as const) {
    test(`${what} is refused`, async (t) => {
      let hits = 0;
      const port = await serve(t, (_request, response) => {
        hits += 1;
        response.end('{}');
      });
      const { lookup } = resolving(answer);
      await assert.rejects(createEgress({ allow: [], lookup }).get(`https://keys.example.org:${port}/`), refused);
      assert.equal(hits, 0);
    });
  }

  test('a name is resolved once, by the connection itself: one that changes its answer gains nothing', async () => {
    const { lookup, asked } = resolving(['127.0.0.1'], ['8.8.8.8']);
    const egress = createEgress({ allow: [], lookup });
    egress.check('https://keys.example.org/');
    assert.deepEqual(asked, []);
    await assert.rejects(egress.get('https://keys.example.org/'), refused);
    assert.deepEqual(asked, ['keys.example.org']);
  });

  test('public addresses are connected to', async () => {
    // Global unicast, and never assigned: nothing answers there.
    const { lookup, asked } = resolving(['2fff::1', '2fff::2']);
    const egress = createEgress({ allow: [], lookup, timeout: 300 });
    await assert.rejects(egress.get('https://keys.example.org/'), failed);
    assert.deepEqual(asked, ['keys.example.org']);
  });

  test('a name that does not resolve is a failure, not a refusal', async () => {
    const lookup: NonNullable<EgressOptions['lookup']> = (_host, _options, callback) => callback(new Error('gone'), []);
    await assert.rejects(createEgress({ allow: [], lookup }).get('https://keys.example.org/'), failed);
  });

  test('nothing of one exchange is kept for the next', async () => {
    const { lookup, asked } = resolving(['10.0.0.1']);
    const egress = createEgress({ allow: [], lookup });
    await assert.rejects(egress.get('https://keys.example.org/'), refused);
    await assert.rejects(egress.get('https://keys.example.org/'), refused);
    assert.equal(asked.length, 2);
  });
});

describe('egress: what an answer may be', () => {
  async function answering(t: TestContext, listener: RequestListener, more: Partial<EgressOptions> = {}) {
    const port = await serve(t, listener);
    const egress = createEgress({ allow: [`127.0.0.1:${port}`], timeout: 2000, limit: 1000, ...more });
    return () => egress.get(`http://127.0.0.1:${port}/jwks`);
  }

  test('a 200 answer is returned', async (t) => {
    const get = await answering(t, (_request, response) => response.end('{"keys":[]}'));
    assert.equal(await get(), '{"keys":[]}');
  });

  for (const status of [301, 302, 303, 307, 308]) {
    test(`a ${status} is not followed`, async (t) => {
      const asked: (string | undefined)[] = [];
      const get = await answering(t, (request, response) => {
        asked.push(request.url);
        response.writeHead(status, { location: '/elsewhere' }).end();
      });
      await assert.rejects(get(), failed);
      assert.deepEqual(asked, ['/jwks']);
    });
  }

  test('an error status is no answer', async (t) => {
    await assert.rejects(await answering(t, (_request, response) => response.writeHead(500).end('{}')), failed);
  });

  test('a long answer is cut off, with or without a length', async (t) => {
    const full = 'a'.repeat(1000);
    assert.equal(await (await answering(t, (_request, response) => response.end(full)))(), full);
    const long = 'a'.repeat(1001);
    await assert.rejects(await answering(t, (_request, response) => response.end(long)), failed);
    await assert.rejects(
      await answering(t, (_request, response) => {
        const more = () => response.write(long, () => response.destroyed || setImmediate(more));
        more();
      }),
      failed,
    );
  });

  test('a slow answer is given up', async (t) => {
    await assert.rejects(await answering(t, () => undefined, { timeout: 50 }), failed);
    await assert.rejects(await answering(t, (_request, response) => void response.write('{'), { timeout: 50 }), failed);
  });

  test('a truncated answer is no answer', async (t) => {
    const get = await answering(t, (_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"keys":[]}', () => response.destroy());
    });
    await assert.rejects(get(), failed);
  });

  test('nothing listening is a failure, not a refusal', async (t) => {
    const port = await serve(t, () => undefined);
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const free = (other.address() as AddressInfo).port;
    other.close();
    assert.notEqual(port, free);
    await assert.rejects(createEgress({ allow: [`127.0.0.1:${free}`] }).get(`http://127.0.0.1:${free}/`), failed);
  });
});
