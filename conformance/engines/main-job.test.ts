/**
 * The main job on a real consortium: four organisations with a peer and a SmartBFT orderer each, and the servers of two of
 * them, which share nothing but the channel.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { verifyEvidence as verifyInBrowser } from '../../src/api/verify/evidence.js';
import { administer, connect } from '../../src/cli/connection.ts';
import { storeClient } from '../../src/cli/data-directory.ts';
import { generateClientKey } from '../../src/cli/operator.ts';
import { parseRoots } from '../../src/trail/evidence/roots.ts';
import { verifyEvidence } from '../../src/trail/evidence/verify.ts';
import { scrubFindings } from '../faults/scrub.ts';
import { ANNA, cohort, consentOf, putCohort, recipient } from '../main-job/cohort.ts';
import { type World, worldOf } from '../main-job/world.ts';
import { skippedWithout } from '../support/engines.ts';
import type { Answer } from '../support/fhir-client.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { type TestNetwork, testNetwork } from '../support/test-network.ts';
import { startTestNode } from '../support/test-node.ts';
import { until } from '../support/until.ts';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const RECORD = `Patient/${ANNA}`;

suite('the main job on a consortium', { skip: skippedWithout('peer') }, () => {
  let network: TestNetwork;
  let a: World;
  let b: World;
  const hooks: (() => Promise<void>)[] = [];

  before(async () => {
    network = await testNetwork('bft');
    // One after the other: an institution belongs to whose server names it first.
    [a, b] = [await startServer('hospital-a'), await startServer('hospital-b')];
    await addGuest(a, 'hospital-b');
  });
  after(async () => {
    for (const hook of hooks) await hook();
    await network?.close();
  });

  async function startServer(name: string): Promise<World> {
    const organisation = network.organisation(name);
    const env = { MEDSEAL_FABRIC: network.network.clientConfigFile(organisation) };
    const test = { after: (hook: () => Promise<void>) => hooks.push(hook) };
    return worldOf(await startTestNode(test, { env, institutions: [name] }));
  }

  /** `medseal …` at a node. */
  async function medseal(world: World, ...args: readonly string[]) {
    const child = spawn(process.execPath, [CLI, ...args], {
      env: { PATH: process.env.PATH, MEDSEAL_DATA: world.node.dataDirectory },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [output, errors] = ['', ''];
    child.stdout.on('data', (text) => (output += text));
    child.stderr.on('data', (text) => (errors += text));
    const [code] = await once(child, 'close');
    return { code, output, errors };
  }

  test('is ready, and says by what', async () => {
    for (const { node } of [a, b]) {
      const state = (await (await fetch(`${node.url}/ready`)).json()) as { ready: boolean; ledger: object };
      assert.deepEqual({ ...state.ledger, blocks: 0 }, { kind: 'fabric', reachable: true, blocks: 0 });
      assert.equal(state.ready, true);
    }
  });

  test('what is pushed at A is read at A by B once the patient consents there, and not before', async () => {
    await putCohort(a.as('hospital-a'), cohort());
    const stranger = a.as('hospital-b', 'hospital-a');
    assert.equal((await stranger.get(RECORD)).status, 404);
    const provision = { type: 'permit' as const, actor: [recipient('hospital-b')] };
    assert.equal((await a.as(`patient:${ANNA}`).post('Consent', consentOf(ANNA, provision))).status, 201);
    assert.equal((await stranger.get(RECORD)).status, 200);
  });

  test('an institution that another organisation keeps has no base at A', async () => {
    assert.equal((await a.as('hospital-b', 'hospital-b').get('metadata')).status, 404);
    assert.equal(
      (await a.as('hospital-b', 'hospital-b').put('Patient/x', { resourceType: 'Patient', id: 'x' })).status,
      404,
    );
    assert.equal(
      (await a.as('hospital-b', 'hospital-a').put('Patient/x', { resourceType: 'Patient', id: 'x' })).status,
      403,
    );
  });

  test('the anchors of A are seen at B, and verify there by the roots that B has pinned', async () => {
    await evidenceOf(a, RECORD);
    const { code, output, errors } = await medseal(b, 'anchors', 'hospital-a');
    assert.equal(code, 0, errors);
    assert.match(output, /^hospital-a records: size \d+, root [0-9a-f]{64}\n {2}of HospitalAMSP at /m);
    assert.match(
      output,
      /endorsed by (?=.*HospitalAMSP)\w+MSP, .*, block signed by (\w+OrdererMSP(, )?){3,4} \(anchored\)/,
    );
    await until('the server of B has seen it too', async () => {
      const heads = await b.rows(
        `select 1 from ledger_head where institution = 'hospital-a' and owner = 'HospitalAMSP'`,
      );
      return heads.length > 0;
    });
  });

  test('evidence of a record of A verifies offline with the roots of B, and a changed one does not', async () => {
    // Made anew each time it is asked for.
    const [{ text }, again] = [await evidenceOf(a, RECORD), await evidenceOf(a, RECORD)];
    const { ledger: _, ...own } = JSON.parse(text);
    assert.deepEqual({ ...JSON.parse(again.text), ledger: undefined }, { ...own, ledger: undefined });
    const file = join(await temporaryDirectory(), 'evidence.json');
    writeFileSync(file, text);
    const { code, output, errors } = await medseal(b, 'verify', file);
    assert.equal(code, 0, errors);
    assert.match(output, new RegExp(`^verified: hospital-a/${RECORD} version 1`));
    assert.match(
      output,
      /endorsed by .*HospitalAMSP.* \(anchored\)\n {2}block signed by .*\n {2}found valid by HospitalAMSP, /,
    );
    const rootsOfB = readFileSync(join(b.node.dataDirectory, 'roots.json'), 'utf8');
    const inBrowser = await verifyInBrowser(Buffer.from(text), rootsOfB);
    assert.deepEqual(inBrowser, verifyEvidence(Buffer.from(text), parseRoots(rootsOfB)), 'the page says the same');
    writeFileSync(file, text.replace('family-of-', 'family_of-'));
    const changed = await medseal(b, 'verify', file);
    assert.deepEqual([changed.code, changed.output], [1, '']);
    assert.match(changed.errors, /is not what was logged and anchored/);
  });

  test('withdrawing ends it, and a scrub of either server finds nothing wrong', async () => {
    const patient = a.as(`patient:${ANNA}`);
    const { entry = [] } = (await patient.get('Consent')).json<{ entry?: { resource: { id: string } }[] }>();
    for (const { resource } of entry) await patient.delete(`Consent/${resource.id}`);
    assert.equal((await a.as('hospital-b', 'hospital-a').get(RECORD)).status, 404);
    for (const { node } of [a, b]) assert.deepEqual(await scrubFindings(node), []);
  });
});

/** A client at `world` of an institution whose records are kept elsewhere. */
async function addGuest({ node }: World, id: string): Promise<void> {
  const connection = connect(node.dataDirectory);
  assert.deepEqual(await administer(connection, 'POST', '/admin/institutions', { id }), { id, guest: true });
  const { publicJwks, privateKey } = await generateClientKey();
  const scopes = ['system/*.cruds'];
  const client = { id, institution: id, jwks: publicJwks, purposes: ['TREAT'], scopes };
  await administer(connection, 'POST', '/admin/clients', client);
  storeClient(node.dataDirectory, id, { clientId: id, privateKey, scope: scopes.join(' ') });
}

/** Once it is anchored. */
async function evidenceOf(world: World, name: string): Promise<Answer> {
  let answer: Answer | undefined;
  await until(`${name} is anchored`, async () => {
    answer = await world.as('hospital-a').get(`${name}/_history/1/$evidence`);
    return answer.status === 200;
  });
  return answer ?? assert.fail();
}
