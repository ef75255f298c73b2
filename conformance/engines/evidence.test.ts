/** What a proof of a channel proves rests on signatures of several organisations, and on every one of them. */
import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fabricAnchor } from '../../src/api/verify/fabric.js';
import { MedSealError } from '../../src/errors.ts';
import { canonicalJson } from '../../src/fhir/json/canonical.ts';
import type { FabricProof } from '../../src/trail/ledger/fabric/proof.ts';
import type { FabricRoots } from '../../src/trail/ledger/fabric/roots.ts';
import { verifyFabricAnchor } from '../../src/trail/ledger/verify-fabric.ts';
import { call, extension, prove, run, startedLog } from '../ports/ledger-fixtures.ts';
import { skippedWithout } from '../support/engines.ts';
import { type Forgery, forge, keysOf, type Signer } from '../support/fabric-forge.ts';
import { isSoak, seed } from '../support/seed.ts';
import { type TestNetwork, testNetwork } from '../support/test-network.ts';

/** Flips tried of each proof; `npm run soak` tries every bit. */
const SAMPLE = 4000;
const FORGED_ROOT = 'ee'.repeat(32);

suite('evidence of a channel', { skip: skippedWithout('peer') }, () => {
  let network: TestNetwork;
  let proof: FabricProof;
  let roots: FabricRoots;
  let all: Forgery;
  let signers: Readonly<Record<'a' | 'b' | 'r' | 'h', { peer: Signer; orderer: Signer; client: Signer }>>;

  before(async () => {
    network = await testNetwork('bft');
    ({ roots } = network);
    const ledger = network.open(network.organisation('hospital-a'));
    const institution = await startedLog(ledger, 3);
    const { transactionId } = await run(ledger, call('anchor', 'append', await extension(institution, 3, 8)));
    proof = (await prove(ledger, transactionId)) as FabricProof;
    signers = signersOf(network);
    const { a, b, r, h } = signers;
    const orderers = [a, b, r].map(({ orderer }) => orderer);
    all = { creator: a.client, endorsers: [a.peer, h.peer], orderers, confirmers: [a.peer, b.peer] };
  });
  after(() => network?.close());

  test('holds as it came, and says who stands behind it', () => {
    const facts = verifyFabricAnchor(proof, roots);
    assert.equal(facts.assurance, 'anchored');
    assert.equal(facts.size, 8);
    assert.ok(facts.endorsedBy.length >= 2 && facts.endorsedBy.includes('HospitalAMSP'), facts.endorsedBy.join());
    assert.ok(facts.orderedBy.length >= 3, facts.orderedBy.join());
    assert.ok(facts.confirmedBy.length >= 2, facts.confirmedBy.join());
  });

  test('only keys protect it: whoever has those of enough organisations makes another that holds', () => {
    const { root, endorsedBy } = verifyFabricAnchor(forge(proof, withRoot(all)), roots);
    assert.deepEqual([root, endorsedBy], [FORGED_ROOT, ['HealthAuthorityMSP', 'HospitalAMSP']]);
  });

  const forgeries: readonly (readonly [string, (from: typeof signers) => Partial<Forgery>, RegExp])[] = [
    ['two orderers', ({ a, b }) => ({ orderers: [a.orderer, b.orderer] }), /too few orderers/],
    ['no orderer', () => ({ orderers: [] }), /too few orderers/],
    ['one orderer three times', ({ a }) => ({ orderers: [a.orderer, a.orderer, a.orderer] }), /orderer's signature/],
    ['a peer as an orderer', ({ a, b, r }) => ({ orderers: [a.orderer, b.orderer, r.peer] }), /orderer's signature/],
    [
      'a peer under the name of an orderer',
      ({ a, b, r }) => ({ orderers: [a.orderer, b.orderer, { ...r.peer, mspId: r.orderer.mspId }] }),
      /orderer's signature/,
    ],
    ['its own endorsement only', ({ a }) => ({ endorsers: [a.peer] }), /and another one must have endorsed/],
    [
      'others’ endorsements only',
      ({ b, h }) => ({ endorsers: [b.peer, h.peer] }),
      /and another one must have endorsed/,
    ],
    ['its own endorsement twice', ({ a }) => ({ endorsers: [a.peer, a.peer] }), /an endorsement is wrong/],
    ['a client as an endorser', ({ a, b }) => ({ endorsers: [a.peer, b.client] }), /an endorsement is wrong/],
    [
      'another organisation’s name',
      ({ a, b }) => ({ endorsers: [a.peer, { ...a.peer, mspId: b.peer.mspId }] }),
      /an endorsement/,
    ],
    ['another organisation’s client', ({ b }) => ({ creator: b.client }), /must have endorsed|not of this transaction/],
    ['a peer as its creator', ({ a }) => ({ creator: a.peer }), /not from a member/],
    ['one organisation that says it was valid', ({ a }) => ({ confirmers: [a.peer] }), /two organisations must say/],
    ['nobody who says it was valid', () => ({ confirmers: [] }), /two organisations must say/],
    ['confirmations that say it was not valid', () => ({ code: 11 }), /was not valid/],
  ];
  for (const [what, change, reason] of forgeries) {
    test(`is refused with ${what}`, () => {
      assert.match(refusal(forge(proof, { ...withRoot(all), ...change(signers) })), reason);
    });
  }

  test('is refused when another state, log or transaction is written', () => {
    for (const [what, alter] of [
      ['another owner', { owner: 'HospitalBMSP' }],
      ['another institution', { institution: 'hospital-b' }],
      ['the other log', { log: 'access' }],
    ] as const) {
      const forged = forge(proof, { ...all, alter: (state) => ({ ...state, ...alter }) });
      assert.match(refusal(forged), /not of this transaction/, what);
    }
  });

  test('is refused when it is wholly signed anew by a network of the same names', async () => {
    const other = await testNetwork('bft');
    try {
      const { a, b, r, h } = signersOf(other);
      const orderers = [a, b, r, h].map(({ orderer }) => orderer);
      const theirs = { creator: a.client, endorsers: [a.peer, b.peer, r.peer], orderers, confirmers: [a.peer, b.peer] };
      const forged = forge(proof, withRoot(theirs));
      assert.equal(verifyFabricAnchor(forged, other.roots).root, FORGED_ROOT, 'by its own roots it holds');
      assert.match(refusal(forged), /orderer's signature/);
      const blocks = forge(proof, withRoot({ ...theirs, orderers: all.orderers }));
      assert.match(refusal(blocks), /not from a member/, 'even where the orderers take part');
    } finally {
      await other.close();
    }
  });

  test('parts of another transaction do not fit', async () => {
    const ledger = network.open(network.organisation('hospital-b'));
    const institution = await startedLog(ledger, 3);
    const { transactionId } = await run(ledger, call('anchor', 'append', await extension(institution, 3, 8)));
    const other = (await prove(ledger, transactionId)) as FabricProof;
    for (const name of ['header', 'metadata', 'signatures', 'attestation'] as const) {
      if (canonicalJson(other[name]) === canonicalJson(proof[name])) continue;
      assert.notEqual(refusal({ ...proof, [name]: other[name] }), '', name);
    }
    const { transactionId: registered } = await run(
      ledger,
      call('anchor', 'register', { institution: `${institution}-2`, endorsers: ['HospitalAMSP'] }),
    );
    assert.match(refusal((await prove(ledger, registered)) as FabricProof), /anchored nothing/);
  });

  test('the page for browsers comes to the same about each of them', async () => {
    assert.deepEqual(await fabricAnchor(proof, roots), verifyFabricAnchor(proof, roots));
    assert.equal((await fabricAnchor(forge(proof, withRoot(all)), roots)).root, FORGED_ROOT);
    for (const [what, change, reason] of forgeries) {
      await assert.rejects(fabricAnchor(forge(proof, { ...withRoot(all), ...change(signers) }), roots), reason, what);
    }
  });

  test('any flipped bit is refused, with a reason', async (t) => {
    const file = Buffer.from(canonicalJson(proof));
    const random = seed(t);
    const bits = file.length * 8;
    const count = isSoak ? bits : SAMPLE;
    const accepted: number[] = [];
    for (let n = 0; n < count; n++) {
      const bit = count === bits ? n : random.integer(bits);
      const flipped = Buffer.from(file);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      if (isAccepted(flipped)) accepted.push(bit);
      if (n % 4 === 0 && (await isAcceptedByPage(flipped))) accepted.push(bit);
    }
    assert.deepEqual(accepted, []);
    t.diagnostic(`${count} of ${bits} bits`);
  });

  function withRoot(forgery: Forgery): Forgery {
    return { ...forgery, alter: (state) => ({ ...state, root: FORGED_ROOT }) };
  }

  /** Why it is refused; '' when it is not. */
  function refusal(forged: FabricProof): string {
    try {
      verifyFabricAnchor(JSON.parse(JSON.stringify(forged)), roots);
      return '';
    } catch (error) {
      assert.ok(error instanceof MedSealError && error.code === 'evidence-invalid', String(error));
      return error.message;
    }
  }

  /** As the page for browsers reads it. */
  async function isAcceptedByPage(bytes: Buffer): Promise<boolean> {
    try {
      const parsed = JSON.parse(bytes.toString('utf8'));
      if (!Buffer.from(canonicalJson(parsed)).equals(bytes)) return false;
      await fabricAnchor(parsed, roots);
      return true;
    } catch {
      return false; // whatever it says, it did not accept
    }
  }

  /** As `medseal verify` reads it: canonical JSON, or nothing. */
  function isAccepted(bytes: Buffer): boolean {
    let parsed: unknown;
    try {
      parsed = JSON.parse(bytes.toString('utf8'));
    } catch {
      return false; // no JSON is no evidence
    }
    return Buffer.from(canonicalJson(parsed)).equals(bytes) && refusal(parsed as FabricProof) === '';
  }
});

function signersOf({ network, organisation }: TestNetwork) {
  const keys = keysOf(dirname(network.rootsFile));
  const of = (name: string) => {
    const one = organisation(name);
    return { peer: keys.peer(one), orderer: keys.orderer(one), client: keys.client(one) };
  };
  return { a: of('hospital-a'), b: of('hospital-b'), r: of('research-institute'), h: of('health-authority') };
}
