/** A log that one ledger anchored goes on on another: here both are embedded ones, of databases of their own. */
import assert from 'node:assert/strict';
import { createSecretKey, randomUUID } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import { testLedger } from '../../conformance/ports/ledger-embedded.ts';
import { ask, call, refused } from '../../conformance/ports/ledger-fixtures.ts';
import { seed } from '../../conformance/support/seed.ts';
import { verifyEvidence as verifyInBrowser } from '../api/verify/evidence.js';
import { MedSealError } from '../errors.ts';
import { type CrashPoint, type Faults, noFaults } from '../faults.ts';
import { canonicalJson } from '../fhir/json/canonical.ts';
import { silentLogger } from '../logger.ts';
import type { ContentStore } from '../storage/content/port.ts';
import { selectCarried } from '../storage/trail/carried.ts';
import { selectOpenEntries, setEntrySettled } from '../storage/trail/consent-entries.ts';
import { selectBatch } from '../storage/trail/log.ts';
import { firstAnchor } from './anchors.ts';
import { carriedBlocks, readCarried } from './carried.ts';
import { createEvidenceCollector, type EvidenceSubject } from './evidence/collect.ts';
import type { Evidence } from './evidence/evidence.ts';
import { formatRoots, ROOTS_FORMAT } from './evidence/roots.ts';
import { verifyEvidence } from './evidence/verify.ts';
import { hashOfLeaf, versionLeaf } from './leaf.ts';
import { sealBlock } from './ledger/embedded/blocks.ts';
import { ledgerRoots } from './ledger/embedded/identities.ts';
import { openPastLedger, type PastLedger } from './ledger/embedded/past.ts';
import { digest, privateKey } from './ledger/embedded/signatures.ts';
import type { Ledger } from './ledger/port.ts';
import { createReconciler } from './reconcile.ts';
import { createRelay } from './relay.ts';
import { createSequencer } from './sequencer.ts';

const SALT = createSecretKey(Buffer.alloc(32, 7));

function failingAt(point: CrashPoint): Faults {
  return {
    ...noFaults,
    async at(passed) {
      if (passed === point) throw new Error(`a drill at ${point}`);
    },
  };
}

/** Version 1 of a made-up record. */
function subjectOf(versionId: number): EvidenceSubject {
  const facts = {
    interaction: 'create' as const,
    institution: 'ours',
    type: 'Patient',
    id: `p${versionId}`,
    version: 1,
    content: Buffer.from(`{"resourceType":"Patient","id":"p${versionId}"}`),
    cid: undefined,
    at: '2026-11-22T10:00:00.000Z',
    author: 'hospital-a',
  };
  const leafHash = hashOfLeaf(versionLeaf({ ...facts, previous: undefined }, SALT));
  return { ...facts, versionId: BigInt(versionId), idToken: randomUUID(), leafHash, salt: SALT };
}

suite('a log that is carried over', () => {
  let first: Awaited<ReturnType<typeof testLedger>>;
  let second: Awaited<ReturnType<typeof testLedger>>;
  let past: PastLedger;
  let id: number;
  const key = () => ({ institution: id, log: 1 });
  const subjects = Array.from({ length: 9 }, (_, index) => subjectOf(index + 1));
  const blocks = new Map<string, Uint8Array>();
  const content = {
    put: async (batch) => {
      for (const { cid, bytes } of batch.blocks) blocks.set(cid, bytes);
    },
    get: async (cid) => blocks.get(cid),
  } as ContentStore;

  const hooks: (() => Promise<void>)[] = [];
  after(async () => {
    for (const hook of hooks) await hook();
  });
  before(async () => {
    const lifetime = { after: (hook: () => Promise<void>) => hooks.push(hook) };
    [first, second] = [await testLedger(lifetime), await testLedger(lifetime)];
    past = openPastLedger(first.database);
    await first.database.query('writer', `insert into institution (name) values ('ours')`);
    id = (await first.database.query<{ id: number }>('writer', 'select id from institution'))[0]?.id ?? 0;
  });

  const reconcilerOn = (ledger: Ledger, before?: PastLedger) =>
    createReconciler({
      database: first.database,
      ledger,
      past: before,
      institutions: () => [{ id, name: 'ours' }],
      logger: silentLogger,
    });

  /** Seals leaves of these versions as one batch, and anchors what is open. */
  async function log(ledger: Ledger, versions: readonly EvidenceSubject[]): Promise<number> {
    const { database } = first;
    for (const { leafHash, versionId } of versions) {
      await database.query(
        'writer',
        'insert into leaf_pending (institution, log, hash, version_id) values ($1, 1, $2, $3)',
        [id, leafHash, versionId],
      );
    }
    await createSequencer({ database, now: Date.now, faults: noFaults }).run();
    return anchor(ledger);
  }

  function anchor(ledger: Ledger, faults = noFaults): Promise<number> {
    const { database } = first;
    const relay = createRelay({
      database,
      content,
      ledger,
      predecessor: ledger === first.ledger ? undefined : () => past.describe(),
      institutionName: () => 'ours',
      now: Date.now,
      faults,
      logger: silentLogger,
    });
    return relay.run();
  }

  const collected = (subject: EvidenceSubject, ledger: Ledger) =>
    createEvidenceCollector({ database: first.database, ledger, past }).collect(subject);
  const rootsOf = (ledger: typeof first) => ({ format: ROOTS_FORMAT, ledger: ledgerRoots(ledger.identities) }) as const;

  test('becomes one batch over all that was anchored, which the new ledger begins with', async () => {
    for (const some of [subjects.slice(0, 3), subjects.slice(3, 4), subjects.slice(4, 6)]) {
      assert.equal(await log(first.ledger, some), 1);
    }
    const before = await first.database.query('writer', 'select size, transaction_id from batch order by size');
    await reconcilerOn(second.ledger, past).run();
    const kept = await selectCarried(first.database, key());
    assert.deepEqual(
      kept.map(({ size, transactionId }) => ({ size, transaction_id: transactionId })),
      before,
    );
    const open = await selectBatch(first.database, key(), 6);
    assert.deepEqual([open?.first, open?.size, open?.anchoredAt, open?.manifest], [0n, 6n, null, null]);
    // Stopped in between, or by a second replica, it is not done again.
    await reconcilerOn(second.ledger, past).run();
    for (const point of ['anchor-endorsed-unsent', 'anchor-committed-unrecorded'] as const) {
      assert.equal(await anchor(second.ledger, failingAt(point)), 0);
    }
    assert.equal((await selectBatch(first.database, key(), 6))?.anchoredAt, null);
    await reconcilerOn(second.ledger, past).run();
    assert.notEqual((await selectBatch(first.database, key(), 6))?.anchoredAt, null, 'found on the ledger');
    assert.equal(await anchor(second.ledger), 0);
    const { items } = await ask(second.ledger, call('anchor', 'history', 'ours', 'records', '', '10'));
    assert.equal(items.length, 1);
    const begun = await firstAnchor(second.ledger, 'ours', 'records');
    assert.deepEqual([begun?.size, begun?.sequence, begun?.root], [6, 1, open?.root.toString('hex')]);
    assert.deepEqual(begun?.predecessor, await past.describe());
    const manifest = await readCarried(content, begun?.manifest ?? '');
    assert.deepEqual(
      manifest?.batches.map((batch) => [batch.size, batch.manifest]),
      kept.map((batch) => [Number(batch.size), batch.manifest]),
    );
  });

  test('grows from there, and not from anything else', async () => {
    assert.equal(await log(second.ledger, subjects.slice(6, 8)), 1);
    const newest = await ask(second.ledger, call('anchor', 'read', 'ours', 'records'));
    assert.deepEqual([newest.size, newest.sequence, newest.predecessor], [8, 2, undefined]);
    const reconciler = reconcilerOn(second.ledger, past);
    await reconciler.run();
    assert.equal(reconciler.reason, undefined);
    const { institution, log: name, size, root, manifest } = newest;
    const predecessor = await past.describe();
    const again = call('anchor', 'carry', {
      institution,
      log: name,
      size,
      root,
      manifest,
      predecessor: predecessor ?? {},
    });
    await refused(second.ledger, again, 'anchor-exists');
  });

  test('proves its older leaves by both ledgers, its newer ones by the new one', async () => {
    const roots = rootsOf(second);
    for (const [index, subject] of subjects.slice(0, 8).entries()) {
      const file = await collected(subject, second.ledger);
      const verified = verifyEvidence(file, roots);
      assert.equal(verified.anchor.sequence, index < 6 ? 1 : 2);
      assert.equal(verified.before?.size, [3, 3, 3, 4, 6, 6][index]);
      assert.deepEqual(await verifyInBrowser(file, formatRoots(roots)), verified, 'the page says the same');
    }
    // What the ledger before says does not stand alone by these roots.
    const old = JSON.parse((await collected(subjects[0] ?? assert.fail(), second.ledger)).toString()) as Evidence;
    const alone = { ...old, before: undefined, inclusion: old.before?.inclusion, ledger: old.before?.past.proof };
    await refusedEverywhere(alone, /another ledger/);
  });

  async function refusedEverywhere(evidence: object, reason: RegExp): Promise<void> {
    const file = Buffer.from(canonicalJson(JSON.parse(JSON.stringify(evidence))));
    const roots = rootsOf(second);
    assert.throws(() => verifyEvidence(file, roots), reason);
    await assert.rejects(verifyInBrowser(file, formatRoots(roots)), reason);
  }

  test('is not proved by blocks that the ledger before got later, whoever has its keys', async () => {
    const subject = subjects[0] ?? assert.fail();
    const evidence = JSON.parse((await collected(subject, second.ledger)).toString()) as Evidence;
    const before = evidence.before ?? assert.fail();
    const { proof, roots } = before.past;
    const withPast = (change: object) => ({ ...evidence, before: { ...before, past: { ...before.past, ...change } } });

    // The same transaction in a block of an earlier time, rightly signed.
    const { envelope, header } = proof;
    const { channel } = header;
    const row = sealBlock(
      {
        head: { number: BigInt(header.number - 1), hash: Buffer.from(header.previousHash, 'hex') },
        channel,
        data: envelope,
        transactionId: digest(envelope.proposal),
        status: 'VALID',
        time: Date.parse(header.time) - 86_400_000,
      },
      privateKey(first.identities.blockSigner),
    );
    const forged = { ...proof, header: JSON.parse(row.header.toString()), signature: row.signature.toString('hex') };
    await refusedEverywhere(withPast({ proof: forged }), /was not there when the log was carried over/);

    const others = ledgerRoots(second.identities);
    await refusedEverywhere(withPast({ roots: others }), /another ledger than the log was carried over from/);
    await refusedEverywhere(withPast({ roots: { ...roots, channel: 'ab'.repeat(16) } }), /another ledger than/);
    await refusedEverywhere(withPast({ block: before.past.block.slice(1) }), /was not there/);
    await refusedEverywhere(withPast({ extra: 1 }), /fields|not evidence/);
    const inclusion = before.inclusion.slice(1);
    await refusedEverywhere({ ...evidence, before: { ...before, inclusion } }, /did not anchor the record/);
  });

  test('with any flipped bit it is refused', async (t) => {
    const random = seed(t);
    const file = await collected(subjects[0] ?? assert.fail(), second.ledger);
    const roots = rootsOf(second);
    for (let trial = 0; trial < 3000; trial++) {
      const bit = random.integer(file.length * 8);
      const flipped = Buffer.from(file);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.throws(() => verifyEvidence(flipped, roots), { code: 'evidence-invalid' }, `bit ${bit}`);
      if (trial % 10 === 0) await assert.rejects(verifyInBrowser(flipped, formatRoots(roots)), `bit ${bit}`);
    }
  });

  test('has no proof of the ledger before for a leaf that came later', async () => {
    const subject = subjects[7] ?? assert.fail();
    const evidence = JSON.parse((await collected(subject, second.ledger)).toString()) as Evidence;
    const other = JSON.parse((await collected(subjects[0] ?? assert.fail(), second.ledger)).toString()) as Evidence;
    assert.equal(evidence.before, undefined);
    await refusedEverywhere({ ...evidence, before: other.before }, /was not carried over/);
  });

  test('names the ledger before as it was: one that grows is the same, one that was changed is not', async () => {
    const then = (await firstAnchor(second.ledger, 'ours', 'records'))?.predecessor ?? assert.fail();
    const { prepare, submit } = first.ledger;
    await submit((await prepare(call('anchor', 'register', { institution: 'late', endorsers: ['BMSP'] }))).bytes);
    const now = (await openPastLedger(first.database).describe()) ?? assert.fail();
    assert.equal(now.blocks, then.blocks + 1);
    assert.deepEqual(await openPastLedger(first.database).describe(then.blocks), then);
    assert.equal(await past.describe(now.blocks + 1), undefined);
    const { transactionId } = (await selectCarried(first.database, key()))[0] ?? assert.fail();
    assert.equal(await past.prove(transactionId ?? '', 1), undefined, 'of a ledger that had fewer blocks');
  });

  test('takes its consents along: those that are active, in their newest version', async (t) => {
    const { database } = first;
    const [kept, ended, open] = [randomUUID(), randomUUID(), randomUUID()];
    for (const [consent, version, active] of [
      [kept, 1, true],
      [kept, 2, true],
      [ended, 1, true],
      [ended, 2, false],
      [open, 1, true],
    ] as const) {
      await database.query(
        'writer',
        `insert into consent_entry (institution, consent, version, active, fresh_key, commitment, grantees, valid_from)
         values ($1, $2, $3, $4, $5, $6, '{}', now())`,
        [id, consent, version, active, 'ab'.repeat(32), Buffer.alloc(32)],
      );
    }
    for (let entries = await selectOpenEntries(database, 10); entries.length > 0; ) {
      for (const { id: entry, freshKey } of entries) {
        await setEntrySettled(database, entry, { key: freshKey, block: 1n, held: undefined });
      }
      entries = await selectOpenEntries(database, 10);
    }
    const third = await testLedger(t);
    await reconcilerOn(third.ledger, past).run();
    const told = await selectOpenEntries(database, 10);
    assert.deepEqual(
      told.map(({ consent, version }) => [consent, version]).toSorted(),
      [
        [kept, 2],
        [open, 1],
      ].toSorted(),
    );
    assert.deepEqual(
      told.map(({ previousKey }) => previousKey).toSorted(),
      ['ab'.repeat(32), null],
      'under the key that they had',
    );
  });
});

test('a manifest of very many batches lies in pages, and is refused when it does not list them', async () => {
  const root = Buffer.alloc(32, 1);
  const manifest = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';
  const batches = Array.from({ length: 9000 }, (_, index) => ({ size: index + 1, root, manifest }));
  const log = { institution: 'ours', log: 'records' as const };
  const stored = carriedBlocks({ ...log, size: 9000, batches });
  assert.equal(stored.blocks.length, 4);
  assert.ok(stored.blocks.every(({ bytes }) => bytes.length < 1024 * 1024));
  const held = new Map(stored.blocks.map(({ cid, bytes }) => [cid, bytes]));
  const get = async (cid: string) => held.get(cid);
  assert.equal((await readCarried({ get }, stored.root))?.batches.length, 9000);
  for (const wrong of [
    { size: 9001, batches },
    { size: 9000, batches: batches.toReversed() },
  ]) {
    const other = carriedBlocks({ ...log, ...wrong });
    for (const { cid, bytes } of other.blocks) held.set(cid, bytes);
    await assert.rejects(readCarried({ get }, other.root), isDamage);
  }
  held.delete(stored.blocks[1]?.cid ?? '');
  await assert.rejects(readCarried({ get }, stored.root), isDamage);
});

function isDamage(error: unknown): boolean {
  return error instanceof MedSealError && error.code === 'sealed-content-damaged';
}
