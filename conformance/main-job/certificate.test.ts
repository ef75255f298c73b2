/** The certificate on paper, and the page on which anybody verifies what is attached to it. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { encode } from 'uqr';
import { evidenceIn } from '../../src/api/verify/attachment.js';
import { verifyEvidence as verifyInBrowser } from '../../src/api/verify/evidence.js';
import { readRoots } from '../../src/cli/data-directory.ts';
import { formatRoots } from '../../src/trail/evidence/roots.ts';
import { verifyEvidence } from '../../src/trail/evidence/verify.ts';
import { browserAbsent, openBrowser } from '../support/browser.ts';
import { seed } from '../support/seed.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';
import { startWorld } from './world.ts';

const SAMPLE = 1500;

suite('certificate', async () => {
  const world = await startWorld();
  const hospital = world.as('hospital-a');
  const roots = readRoots(join(world.node.dataDirectory, 'roots.json'));
  const rootsFile = formatRoots(roots);
  await hospital.put('Patient/wang', { resourceType: 'Patient', id: 'wang', name: [{ text: '王小明' }] });
  const path = 'Patient/wang/_history/1';
  await until('it is anchored', async () => (await hospital.get(`${path}/$evidence`)).status === 200);
  const evidence = Buffer.from((await hospital.get(`${path}/$evidence`)).text);
  const certificate = await fetchPdf();

  async function fetchPdf(): Promise<Buffer> {
    const token = await world.node.token('hospital-a');
    const response = await fetch(`${hospital.base}/${path}/$certificate`, {
      headers: { authorization: `Bearer ${token}` },
    });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'application/pdf');
    assert.equal(response.headers.get('cache-control'), 'no-store');
    return Buffer.from(await response.arrayBuffer());
  }

  test('is a PDF with the evidence attached, the same each time', async () => {
    assert.equal(certificate.subarray(0, 5).toString(), '%PDF-');
    assert.deepEqual(Buffer.from(await evidenceIn(certificate)), evidence);
    assert.deepEqual(await fetchPdf(), certificate);
    assert.deepEqual(Buffer.from(await evidenceIn(evidence)), evidence, 'and evidence is evidence');
    await assert.rejects(evidenceIn(Buffer.from('%PDF-1.3 nothing')), /no evidence attached/);
  });

  test('says in text what the evidence establishes, and as a QR code where to verify it', () => {
    const drawn = pageOf(certificate);
    const { anchor } = verifyEvidence(evidence, roots);
    const shown = textOf(drawn);
    for (const value of [
      'hospital-a/Patient/wang',
      anchor.transactionId,
      anchor.root,
      hash('sha256', evidence, 'hex'),
    ]) {
      assert.ok(shown.includes(value), value);
    }
    const code = encode(`${world.node.url}/verify#sha256=${hash('sha256', evidence, 'hex')}`, { ecc: 'M', border: 2 });
    const dark = code.data.flat().filter(Boolean).length;
    assert.equal([...drawn.matchAll(/ re$/gm)].length, dark, 'a square for each dark module');
    const painted = new Set(drawn.match(/^(?:f|f\*|B|B\*|b|b\*|F)$/gm));
    assert.deepEqual([...painted], ['f'], 'outlines overlap: filled by the nonzero rule, and not stroked');
  });

  test('is given to whoever may read the version, and to nobody else', async () => {
    assert.equal((await world.as('hospital-b').get(`${path}/$certificate`)).status, 404);
    assert.equal((await world.as('patient:wang').get(`${path}/$certificate`)).status, 200);
  });

  test('the page verifies what the command verifies', async () => {
    assert.deepEqual(await verifyInBrowser(evidence, rootsFile), verifyEvidence(evidence, roots));
  });

  test('the page refuses every flipped bit that the command refuses, with a reason', async (t) => {
    const random = seed(t);
    const accepted: number[] = [];
    for (let n = 0; n < SAMPLE; n++) {
      const bit = random.integer(evidence.length * 8);
      const flipped = Buffer.from(evidence);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      const refused = await verifyInBrowser(flipped, rootsFile).then(
        () => false,
        (error: Error) => error.message.length > 10,
      );
      if (!refused) accepted.push(bit);
    }
    assert.deepEqual(accepted, []);
  });

  test('the page refuses what another ledger signed', async () => {
    const other = await startWorld();
    await other.as('hospital-a').put('Patient/wang', { resourceType: 'Patient', id: 'wang' });
    const theirs = readRoots(join(other.node.dataDirectory, 'roots.json'));
    await assert.rejects(verifyInBrowser(evidence, formatRoots(theirs)), /of another ledger/);
  });

  test('the page needs no account, and its policy lets it send nothing', async () => {
    const page = await fetch(`${world.node.url}/verify`);
    assert.equal(page.status, 200);
    const policy = page.headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /connect-src 'none'/);
    assert.match(policy, /form-action 'none'/);
    assert.equal((await fetch(`${world.node.url}/verify/nothing.js`)).status, 404);
    assert.equal((await fetch(`${world.node.url}/verify/evidence.d.ts`)).status, 404);
  });

  test('in a browser: chosen files are verified, a changed one is refused, and nothing is asked of anybody', {
    skip: browserAbsent,
  }, async (t) => {
    const files = await temporaryDirectory();
    const write = (name: string, content: string | Buffer) => {
      writeFileSync(join(files, name), content);
      return join(files, name);
    };
    const browser = await openBrowser(t);
    const page = await browser.newPage();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    page.on('pageerror', (error) => assert.fail(error));
    await page.goto(`${world.node.url}/verify#sha256=${hash('sha256', evidence, 'hex')}`, {
      waitUntil: 'networkidle',
    });
    assert.ok(
      asked.every((url) => url.startsWith(`${world.node.url}/verify`) || url.startsWith('data:')),
      asked.join(),
    );
    const before = asked.length;
    await page.context().setOffline(true);
    await page.setInputFiles('#roots', write('roots.json', rootsFile));
    await page.setInputFiles('#evidence', write('certificate.pdf', certificate));
    await page.waitForSelector('#result.verified');
    const shown = (await page.textContent('#result')) ?? '';
    assert.ok(shown.includes('hospital-a/Patient/wang') && shown.includes('王小明'), shown);
    await page.setInputFiles('#evidence', write('changed.json', evidence.toString().replace('王小明', '王大明')));
    await page.waitForSelector('#result.refused');
    assert.match((await page.textContent('#result')) ?? '', /not the file of the certificate/);
    assert.deepEqual(asked.slice(before), []);
  });
});

/** What is drawn on the page: its content, unpacked. */
function pageOf(pdf: Buffer): string {
  const parts: string[] = [];
  for (const found of pdf.toString('latin1').matchAll(/\/Length (\d+)\n\/Filter \/FlateDecode\n>>\nstream\n/g)) {
    const start = found.index + found[0].length;
    parts.push(inflateSync(pdf.subarray(start, start + Number(found[1]))).toString('latin1'));
  }
  return parts.find((part) => / Tf$/m.test(part)) ?? '';
}

/** Its text, which lines and kerning divide. */
function textOf(drawn: string): string {
  const shown = [...drawn.matchAll(/<([0-9a-f]+)>/g)].map(([, hex = '']) => Buffer.from(hex, 'hex').toString('latin1'));
  return shown.join('');
}
