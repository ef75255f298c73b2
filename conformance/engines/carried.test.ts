/** A hospital that began by itself, on the embedded ledger, and joins a consortium. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { verifyEvidence as verifyInBrowser } from '../../src/api/verify/evidence.js';
import { administer, connect } from '../../src/cli/connection.ts';
import { readClient } from '../../src/cli/data-directory.ts';
import { PARTICIPANTS } from '../../src/demo/participants.ts';
import { parseRoots } from '../../src/trail/evidence/roots.ts';
import { verifyEvidence } from '../../src/trail/evidence/verify.ts';
import { RECORDS } from '../faults/backup.ts';
import { observation, patient, writesOf } from '../faults/node-records.ts';
import { rebuilt } from '../faults/rebuild.ts';
import { onRecords, untilAnchored } from '../faults/records-database.ts';
import { takeSnapshot } from '../faults/records-snapshot.ts';
import { scrubFindings } from '../faults/scrub.ts';
import { consentOf, recipient } from '../main-job/cohort.ts';
import { type World, worldOf } from '../main-job/world.ts';
import { ask, call } from '../ports/ledger-fixtures.ts';
import { skippedWithout } from '../support/engines.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { type TestNetwork, testNetwork } from '../support/test-network.ts';
import { startTestNode } from '../support/test-node.ts';
import { until } from '../support/until.ts';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const DIGITS = /[0-9a-f]{64}/;

suite('a hospital that joins a consortium', { skip: skippedWithout('peer') }, () => {
  const hooks: (() => Promise<void>)[] = [];
  let network: TestNetwork;
  let world: World;
  let env: Record<string, string>;
  /** Evidence that was given out before. */
  let given = '';
  /** What the two logs had come to by then. */
  const sizes: Record<'records' | 'access', number> = { records: 0, access: 0 };

  before(async () => {
    network = await testNetwork('raft');
    hooks.push(() => network.close());
    env = { MEDSEAL_FABRIC: network.network.clientConfigFile(network.organisation('hospital-a')) };
    const lifetime = { after: (hook: () => Promise<void>) => hooks.unshift(hook) };
    world = worldOf(await startTestNode(lifetime, { institutions: ['hospital-a', 'hospital-b'] }));
  });
  after(async () => {
    for (const hook of hooks) await hook();
  });

  const hospital = () => world.as('hospital-a');
  const historyOf = (...args: readonly string[]) =>
    ask(network.open(network.organisation('hospital-a')), call('anchor', 'history', ...args));

  async function written(name: string, resource: object): Promise<void> {
    const { status, text } = await hospital().put(name, resource);
    assert.ok(status === 200 || status === 201, text);
  }

  async function evidenceOf(name: string) {
    const { status, text } = await hospital().get(`${name}/$evidence`);
    assert.equal(status, 200, text);
    const roots = readFileSync(join(world.node.dataDirectory, 'roots.json'), 'utf8');
    const verified = verifyEvidence(Buffer.from(text), parseRoots(roots));
    assert.deepEqual(await verifyInBrowser(Buffer.from(text), roots), verified, 'the page says the same');
    return { text, verified };
  }

  test('begins on its own ledger, batch by batch', async () => {
    await written('Patient/p1', patient('p1', '一'));
    await untilAnchored(world.node);
    for (let value = 1; value <= 3; value++) {
      await written('Observation/o1', observation('o1', 'Patient/p1', value));
      await untilAnchored(world.node);
    }
    const consent = consentOf('p1', { type: 'permit', actor: [recipient('hospital-b')] });
    assert.equal((await world.as('patient:p1').post('Consent', consent)).status, 201);
    assert.equal((await world.as('hospital-b', 'hospital-a').get('Observation/o1')).status, 200);
    await untilAnchored(world.node);
    const { text, verified } = await evidenceOf('Patient/p1/_history/1');
    assert.equal(verified.anchor.assurance, 'self-attested');
    given = text;
  });

  test('joins: what its ledger had come to is the first anchor of each log on the channel', async () => {
    // A write that is not anchored anywhere when it happens.
    await written('Patient/p2', patient('p2', '二'));
    await world.node.kill9();
    const heads = await world.rows<{ log: number; size: string }>(
      `select b.log, max(size) as size from batch b join institution i on i.id = b.institution
       where i.name = 'hospital-a' and anchored_at is not null group by b.log`,
    );
    for (const { log, size } of heads) sizes[log === 1 ? 'records' : 'access'] = Number(size);
    await world.node.restart(env);
    await untilAnchored(world.node);
    for (const log of ['records', 'access'] as const) {
      const { items } = await historyOf('hospital-a', log, '', '100');
      const first = items.at(-1);
      assert.deepEqual([first.sequence, first.size], [1, sizes[log]], log);
      assert.match(first.predecessor.root, DIGITS);
      assert.ok(items.length <= 4, 'not a transaction for every batch that there was');
    }
    assert.equal(await writesOf(world.node), 'accepted');
    assert.deepEqual(await scrubFindings(world.node), []);
  });

  test('its older records verify by the consortium, which says what their first ledger said', async () => {
    const { verified } = await evidenceOf('Observation/o1/_history/2');
    assert.deepEqual(
      [verified.anchor.assurance, verified.anchor.size, verified.before?.assurance],
      ['anchored', sizes.records, 'self-attested'],
    );
    assert.ok((verified.before?.size ?? 0) < sizes.records, 'as it was anchored then');
    const { text, verified: newer } = await evidenceOf('Patient/p2/_history/1');
    assert.deepEqual([newer.anchor.assurance, newer.before], ['anchored', undefined]);
    assert.doesNotMatch(text, /"before"/);

    const before = parseRoots(readFileSync(join(world.node.dataDirectory, 'roots-embedded.json'), 'utf8'));
    assert.equal(verifyEvidence(Buffer.from(given), before).version, 1, 'what was given out before still verifies');

    const file = join(await temporaryDirectory(), 'evidence.json');
    writeFileSync(file, (await evidenceOf('Observation/o1/_history/2')).text);
    const { stdout } = await promisify(execFile)(process.execPath, [CLI, 'verify', file], {
      env: { PATH: process.env.PATH, MEDSEAL_DATA: world.node.dataDirectory },
    });
    assert.match(stdout, /^verified: hospital-a\/Observation\/o1 version 2\n/);
    assert.match(
      stdout,
      /carried over, with this anchor, from ledger [0-9a-f]{64}, then of \d+ blocks\n.* anchored there at .*self-attested/,
    );
    const { status, headers } = await hospital().get('Observation/o1/_history/2/$certificate');
    assert.deepEqual([status, headers['content-type']], [200, 'application/pdf']);
  });

  test('the consents that it had are on the channel, and one of them can be withdrawn there', async () => {
    const state = () =>
      world.rows<{ held: string | null; block: string | null }>('select held, block from consent_entry');
    assert.deepEqual(
      (await state()).map(({ held, block }) => [held, block !== null]),
      [[null, true]],
    );
    const patientP1 = world.as('patient:p1');
    const { entry = [] } = (await patientP1.get('Consent')).json<{ entry?: { resource: { id: string } }[] }>();
    for (const { resource } of entry) assert.equal((await patientP1.delete(`Consent/${resource.id}`)).status, 204);
    await until('the withdrawal is on the channel', async () => {
      const states = await state();
      assert.ok(states.every(({ held }) => held === null));
      return states.length === 2 && states.every(({ block }) => block !== null);
    });
  });

  test('a restart changes nothing, and a database that was lost comes back from the channel', async () => {
    await world.node.restart(env);
    await written('Observation/o1', observation('o1', 'Patient/p1', 4));
    await untilAnchored(world.node);
    await world.node.stop();
    const before = await takeSnapshot(world.node);
    const tables = [...RECORDS, 'consent_entry', 'ledger_checkpoint', 'ledger_head'];
    const ledger = ['ledger.block', 'ledger.transaction', 'ledger.state', 'ledger.history', 'ledger.tile'];
    await onRecords(
      world.node,
      `truncate ${[...tables, ...ledger].join(', ')}, auth_client, auth_artifact, auth_assertion, institution restart identity`,
    );
    await world.node.restart(env);
    assert.match(await writesOf(world.node), /rebuild/);
    const summary = await rebuilt(world.node);
    assert.deepEqual([summary.fence, summary.versions], [null, before.versions.length], JSON.stringify(summary));
    const after = await takeSnapshot(world.node);
    for (const part of ['versions', 'current', 'recordLeaves', 'accessLeaves', 'tiles', 'batches'] as const) {
      assert.deepEqual(after[part], before[part], part);
    }
    const kinds = new Set((await scrubFindings(world.node)).map(({ kind }) => kind));
    assert.deepEqual([...kinds], ['leaf-without-row'], 'the details of the access log, and nothing else');
    assert.match(JSON.stringify(await rebuilt(world.node)), /"replayed":0,"recorded":0/, 'again, it has nothing to do');

    const { d: _, ...key } = readClient(world.node.dataDirectory, 'hospital-a')?.privateKey ?? {};
    const participant = PARTICIPANTS.find(({ id }) => id === 'hospital-a') ?? assert.fail();
    const client = { ...participant, jwks: { keys: [key] } };
    await administer(connect(world.node.dataDirectory), 'POST', '/admin/clients', client);
    // Its tokens were lost too.
    world = worldOf(world.node);
    const { verified } = await evidenceOf('Observation/o1/_history/2');
    assert.deepEqual(
      [verified.anchor.assurance, verified.anchor.size, verified.before],
      ['anchored', sizes.records, undefined],
      'the ledger before was lost with the database',
    );
    await written('Observation/o1', observation('o1', 'Patient/p1', 5));
    await untilAnchored(world.node);
  });
});
