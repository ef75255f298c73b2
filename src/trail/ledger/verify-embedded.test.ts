import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { call, consentRequest, treeHead } from '../../../conformance/ports/ledger-fixtures.ts';
import { MedSealError } from '../../errors.ts';
import { canonicalJson } from '../../fhir/json/canonical.ts';
import { type EmbeddedProof, proofOf, sealBlock } from './embedded/blocks.ts';
import { type ContractClass, contractHost, loadContracts } from './embedded/contracts.ts';
import { endorse, propose } from './embedded/endorse.ts';
import { type Envelope, submitted, transactionIdOf } from './embedded/envelope.ts';
import { generateLedgerIdentities, type LedgerIdentities, ledgerRoots } from './embedded/identities.ts';
import { privateKey, signCanonical } from './embedded/signatures.ts';
import type { StateReader } from './embedded/state-reader.ts';
import type { ContractCall } from './port.ts';
import { verifyEmbeddedAnchor } from './verify-embedded.ts';

const NOW = Date.parse('2026-11-22T10:00:00.000Z');
const IDENTITIES = generateLedgerIdentities(['AMSP', 'BMSP', 'CMSP']);
const ROOTS = ledgerRoots(IDENTITIES);
const GENESIS = call('anchor', 'genesis', treeHead('hospital', 5));
const REGISTRATION = canonicalJson({ institution: 'hospital', owner: 'AMSP', endorsers: ['BMSP'], time: '' });

/** A state in which one institution is registered, by AMSP, and nothing else. */
const STATE: StateReader = {
  get: async (key) => (key.includes('institution') ? { value: Buffer.from(REGISTRATION), version: 1 } : undefined),
  page: () => assert.fail('not asked for'),
  history: () => assert.fail('not asked for'),
};

interface Making {
  readonly what?: ContractCall;
  readonly identities?: LedgerIdentities;
  readonly endorsers?: readonly string[];
  readonly status?: string;
  /** Changes the endorsed transaction before its client signs it and the block is made. */
  readonly alter?: (envelope: Envelope) => Envelope;
}

const refusedFor = (reason: RegExp) => (error: unknown) =>
  error instanceof MedSealError && error.code === 'evidence-invalid' && reason.test(error.message);

describe('verifying an anchor on an embedded ledger', () => {
  let classes: readonly ContractClass[];
  let proof: EmbeddedProof;

  /** A proof that is signed throughout with the keys of `identities`. */
  async function make(making: Making = {}): Promise<EmbeddedProof> {
    const { what = GENESIS, identities = IDENTITIES, endorsers = ['AMSP', 'BMSP'], status = 'VALID' } = making;
    const { client, channel } = identities;
    const contracts = contractHost(classes, () => NOW);
    const organisations = identities.organisations
      .filter(({ mspId }) => endorsers.includes(mspId))
      .map((organisation) => ({ mspId: organisation.mspId, key: privateKey(organisation), contracts }));
    const proposal = propose(what, client.credential, NOW);
    const endorsed = await endorse(proposal, privateKey(client), organisations, STATE);
    const altered = making.alter?.(endorsed) ?? endorsed;
    const envelope = { ...altered, signature: signCanonical(privateKey(client), submitted(altered)) };
    const head = { number: 6n, hash: Buffer.alloc(32, 7) };
    const transactionId = transactionIdOf(proposal);
    const block = { head, channel, data: envelope, transactionId, status, time: NOW + 5 };
    const row = sealBlock(block, privateKey(identities.blockSigner));
    return proofOf(row);
  }

  before(async () => {
    classes = await loadContracts();
    proof = await make();
  });

  it('gives the facts, and says whose word they are', () => {
    assert.deepEqual(verifyEmbeddedAnchor(JSON.parse(canonicalJson(proof)), ROOTS), {
      ...treeHead('hospital', 5),
      owner: 'AMSP',
      sequence: 1,
      time: '2026-11-22T10:00:00.000Z',
      transactionId: transactionIdOf(proof.envelope.proposal),
      assurance: 'self-attested',
      block: 7,
      blockTime: '2026-11-22T10:00:00.005Z',
      endorsedBy: ['AMSP', 'BMSP'],
    });
  });

  it('refuses every flipped bit of the canonical text', () => {
    const text = Buffer.from(canonicalJson(proof));
    /** As a reader of evidence does: the text must be the canonical one of what it says. */
    const verify = (bytes: Buffer) => {
      const json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
      const parsed: unknown = JSON.parse(json);
      assert.equal(canonicalJson(parsed), json);
      return verifyEmbeddedAnchor(parsed, ROOTS);
    };
    assert.equal(verify(text).size, 5);
    for (let bit = 0; bit < text.length * 8; bit++) {
      const flipped = Buffer.from(text);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.throws(() => verify(flipped), Error, `bit ${bit & 7} of byte ${bit >> 3}`);
    }
  });

  it('refuses whatever is added or left out, at every level', () => {
    const objects: { get(root: EmbeddedProof): object }[] = [
      { get: (root) => root },
      { get: (root) => root.header },
      { get: (root) => root.envelope },
      { get: (root) => root.envelope.proposal },
      { get: (root) => root.envelope.proposal.creator },
      { get: (root) => root.envelope.proposal.creator.attributes },
      { get: (root) => root.envelope.simulation },
      { get: (root) => root.envelope.simulation.writes[0] ?? assert.fail() },
      { get: (root) => root.envelope.endorsements[0] ?? assert.fail() },
    ];
    for (const { get } of objects) {
      const added = structuredClone(proof);
      Object.assign(get(added), { extra: 'x' });
      assert.throws(() => verifyEmbeddedAnchor(added, ROOTS), refusedFor(/./));
      for (const field of Object.keys(get(proof))) {
        const less = structuredClone(proof);
        Reflect.deleteProperty(get(less), field);
        assert.throws(() => verifyEmbeddedAnchor(less, ROOTS), refusedFor(/./), field);
      }
    }
    for (const nothing of [null, undefined, 1, 'x', [], {}, [proof]]) {
      assert.throws(() => verifyEmbeddedAnchor(nothing, ROOTS), refusedFor(/not a proof/));
    }
  });

  it('refuses a forgery that is signed throughout, with other keys', async () => {
    const foreign = generateLedgerIdentities(['AMSP', 'BMSP', 'CMSP']);
    assert.throws(() => verifyEmbeddedAnchor(proof, ledgerRoots(foreign)), refusedFor(/of another ledger/));
    const elsewhere = await make({ identities: foreign });
    assert.throws(() => verifyEmbeddedAnchor(elsewhere, ROOTS), refusedFor(/of another ledger/));

    // Of this ledger by name, up to the credential that its client shows.
    const { channel } = IDENTITIES;
    const { client } = foreign;
    const renamed = { ...foreign, channel, client: { ...client, credential: { ...client.credential, channel } } };
    const forged = await make({ identities: renamed });
    assert.throws(() => verifyEmbeddedAnchor(forged, ROOTS), refusedFor(/block's signature/));

    // With every key but one stolen.
    const { blockSigner, organisations } = IDENTITIES;
    const [a, b, c] = organisations;
    const [foreignA] = foreign.organisations;
    assert.ok(a && b && c && foreignA);
    const withClient = await make({ identities: { ...renamed, blockSigner } });
    assert.throws(() => verifyEmbeddedAnchor(withClient, ROOTS), refusedFor(/not from a member/));
    const withoutA = await make({ identities: { ...IDENTITIES, organisations: [{ ...foreignA }, b, c] } });
    assert.throws(() => verifyEmbeddedAnchor(withoutA, ROOTS), refusedFor(/endorsement is wrong/));
    const withoutSigner = await make({ identities: { ...IDENTITIES, blockSigner: foreign.blockSigner } });
    assert.throws(() => verifyEmbeddedAnchor(withoutSigner, ROOTS), refusedFor(/block's signature/));
  });

  it('refuses what the ledger signed but did not accept, or not as an anchor', async () => {
    const cases: [RegExp, Making][] = [
      [/was not valid/, { status: 'MVCC_READ_CONFLICT' }],
      [/another one must have endorsed/, { endorsers: ['AMSP'] }],
      [/another one must have endorsed/, { endorsers: ['BMSP', 'CMSP'] }],
      [/anchored nothing/, { what: call('consent', 'record', consentRequest('hospital')) }],
      [/anchored nothing/, { what: call('anchor', 'read', 'hospital', 'records') }],
      [/anchored nothing/, { what: call('anchor', 'register', { institution: 'hospital', endorsers: ['BMSP'] }) }],
      [/endorsement is wrong/, { alter: (it) => ({ ...it, endorsements: [...it.endorsements, ...it.endorsements] }) }],
      [
        /endorsement is wrong/,
        { alter: (it) => ({ ...it, simulation: { ...it.simulation, response: 'something else' } }) },
      ],
    ];
    for (const [reason, making] of cases) {
      const made = await make(making);
      assert.throws(() => verifyEmbeddedAnchor(made, ROOTS), refusedFor(reason), String(reason));
    }
  });

  it('refuses a client whose credential is another ledger’s', async () => {
    const { client } = generateLedgerIdentities(['AMSP', 'BMSP']);
    const credential = { ...client.credential, channel: IDENTITIES.channel };
    const made = await make({ identities: { ...IDENTITIES, client: { ...client, credential } } });
    assert.throws(() => verifyEmbeddedAnchor(made, ROOTS), refusedFor(/not from a member/));
  });
});
