import assert from 'node:assert/strict';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseCid } from '../../src/storage/content/cid.ts';
import { change, flipBlock, insert, remove, type Undo } from './damage.ts';
import { medseal } from './medseal.ts';
import { type ScrubWorld, startScrubWorld } from './scrub-world.ts';

const world = await startScrubWorld();

const FLIP = (column: string) => `set_byte(${column}, 5, get_byte(${column}, 5) # 1)`;
/** Another letter in the place of one. */
const LETTER = (column: string, at: number) =>
  `overlay(${column} placing case substr(${column}, ${at}, 1) when 'A' then 'B' else 'A' end from ${at})`;
const FIRST = "id = (select version_id from resource_current where type = 'Observation' order by version_id limit 1)";
const RECORDS = 'institution = (select institution from resource_version limit 1) and log = 1';
const NEWEST = `${RECORDS} and size = (select max(size) from batch where ${RECORDS})`;
/** A leaf that is neither the first nor the last of the log of records. */
const INNER = `${RECORDS} and number = 1`;
const TWICE = "version = 2 and interaction = 'update'";
const LARGE = "type = 'Media'";

interface Damage {
  readonly name: string;
  /** Kinds of all findings, in alphabetical order. */
  readonly found: readonly string[];
  do(world: ScrubWorld): Promise<Undo>;
}

const DAMAGES: readonly Damage[] = [
  {
    name: 'a leaf is deleted',
    found: ['leaf-gap', 'version-without-leaf'],
    do: ({ records }) => remove(records, 'leaf', INNER),
  },
  {
    name: 'a version has a second leaf',
    found: ['leaf-without-batch', 'version-with-several-leaves'],
    do: ({ records }) =>
      insert(
        records,
        'leaf',
        'institution, log, number, hash, version_id',
        `select institution, log, (select max(size) from batch where ${RECORDS}), hash, version_id from leaf where ${INNER}`,
        'ctid',
      ),
  },
  {
    name: 'a leaf is altered',
    found: ['version-leaf-differs'],
    do: ({ records }) => change(records, 'leaf', INNER, { hash: FLIP('hash') }),
  },
  {
    name: 'the leaf hash in a row is altered',
    found: ['version-leaf-differs'],
    do: ({ records }) => change(records, 'resource_version', FIRST, { leaf_hash: FLIP('leaf_hash') }),
  },
  {
    name: 'a leaf and the hash in its row are altered alike',
    found: ['batch-root-differs', 'manifest-differs', 'tile-differs', 'version-content-differs'],
    async do({ records }) {
      const altered = "'\\x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'";
      const leaf = await change(records, 'leaf', `version_id = (select id from resource_version where ${LARGE})`, {
        hash: altered,
      });
      const row = await change(records, 'resource_version', LARGE, { leaf_hash: altered });
      return async () => {
        await leaf();
        await row();
      };
    },
  },
  {
    name: 'sealed bytes are altered',
    found: ['sealed-digest-differs'],
    do: ({ records }) => change(records, 'resource_version', FIRST, { sealed: LETTER('sealed', 20) }),
  },
  {
    name: 'sealed bytes of several segments are altered',
    found: ['sealed-digest-differs'],
    do: ({ records }) => change(records, 'resource_version', LARGE, { sealed: LETTER('sealed', 600_000) }),
  },
  {
    name: 'a digest is altered',
    found: ['manifest-differs', 'sealed-digest-differs'],
    do: ({ records }) => change(records, 'resource_version', FIRST, { digest: FLIP('digest') }),
  },
  {
    name: 'a row has the sealed content of another',
    found: ['manifest-differs', 'version-damaged'],
    do: ({ records }) =>
      change(records, 'resource_version', FIRST, {
        sealed: `(select sealed from resource_version where ${TWICE})`,
        digest: `(select digest from resource_version where ${TWICE})`,
      }),
  },
  {
    name: 'a row has the envelope of another',
    found: ['manifest-differs', 'version-damaged'],
    do: ({ records }) =>
      change(records, 'resource_version', FIRST, {
        envelope: `(select envelope from resource_version where ${TWICE})`,
      }),
  },
  {
    name: 'a time is altered',
    found: ['version-damaged'],
    do: ({ records }) => change(records, 'resource_version', FIRST, { at: "at - interval '1 second'" }),
  },
  {
    name: 'an interaction is altered',
    found: ['version-damaged'],
    do: ({ records }) => change(records, 'resource_version', FIRST, { interaction: "'create'" }),
  },
  {
    name: 'a stored part of the tree is altered',
    found: ['tile-differs'],
    do: ({ records }) => change(records, 'log_tile', `${RECORDS} and level = 0`, { hashes: FLIP('hashes') }),
  },
  {
    name: 'the root of a batch is altered',
    found: ['anchor-differs', 'batch-root-differs'],
    do: ({ records }) => change(records, 'batch', NEWEST, { root: FLIP('root') }),
  },
  {
    name: 'a batch has the manifest of another',
    found: ['anchor-differs', 'manifest-differs'],
    do: ({ records }) =>
      change(records, 'batch', NEWEST, { manifest: `(select manifest from batch where ${RECORDS} and first = 0)` }),
  },
  {
    name: 'a batch begins elsewhere',
    found: ['batch-gap', 'manifest-differs'],
    do: ({ records }) => change(records, 'batch', NEWEST, { first: 'first + 1' }),
  },
  {
    name: 'the newest batch is gone',
    found: ['leaf-without-batch', 'ledger-ahead'],
    do: ({ records }) => remove(records, 'batch', NEWEST),
  },
  {
    name: 'a batch names another transaction',
    found: ['anchor-differs'],
    do: ({ records }) =>
      change(records, 'batch', NEWEST, {
        transaction_id: `(select transaction_id from batch where ${RECORDS} and first = 0)`,
      }),
  },
  {
    name: 'a batch names another block',
    found: ['anchor-differs'],
    do: ({ records }) => change(records, 'batch', NEWEST, { block: 'block + 1' }),
  },
  {
    name: 'the ledger’s state of a log is altered',
    found: ['anchor-differs'],
    do: ({ records }) => changeAnchor(records, 'ledger.state', 'version'),
  },
  {
    name: 'the ledger’s history of a log is altered',
    found: ['anchor-differs'],
    do: ({ records }) => changeAnchor(records, 'ledger.history', 'block'),
  },
  {
    name: 'an anchor is missing in the ledger’s history',
    found: ['anchor-missing'],
    async do({ records }) {
      const { rows } = await records.query(`select block from batch where ${NEWEST}`);
      return remove(records, 'ledger.history', `block = ${rows[0].block} and ${IS_ANCHOR}`);
    },
  },
  {
    name: 'a sealed block is damaged',
    found: ['block-damaged'],
    async do({ records, node }) {
      const { rows } = await records.query(`select digest from resource_version where ${FIRST}`);
      return flipBlock(node.dataDirectory, rows[0].digest);
    },
  },
  {
    name: 'a manifest is damaged',
    found: ['manifest-damaged'],
    async do({ records, node }) {
      const { rows } = await records.query(`select manifest from batch where ${NEWEST}`);
      return flipBlock(node.dataDirectory, parseCid(rows[0].manifest)?.digest ?? Buffer.alloc(0));
    },
  },
  {
    name: 'the first of two versions is deleted',
    found: ['leaf-without-row', 'version-gap'],
    do: ({ records }) =>
      remove(
        records,
        'resource_version',
        `version = 1 and id_token = (select id_token from resource_version where ${TWICE})`,
      ),
  },
  {
    name: 'the only version of a resource is deleted',
    found: ['current-without-version', 'leaf-without-row'],
    do: ({ records }) => remove(records, 'resource_version', LARGE),
  },
  {
    name: 'the newest version is noted wrongly',
    found: ['current-differs'],
    do: ({ records }) =>
      change(records, 'resource_current', 'version = 2 and not deleted', {
        version: '1',
        version_id: 'version_id - 1',
      }),
  },
  {
    name: 'a deleted resource is noted as there',
    found: ['current-differs'],
    do: ({ records }) => change(records, 'resource_current', 'deleted', { deleted: 'false' }),
  },
  {
    name: 'the newest version is not noted',
    found: ['current-missing'],
    do: ({ records }) => remove(records, 'resource_current', LARGE),
  },
  {
    name: 'an access entry is altered',
    found: ['access-entry-differs'],
    do: ({ records }) =>
      change(records, 'access_entry', 'id = (select min(id) from access_entry)', {
        sealed: LETTER('sealed', 20),
      }),
  },
  {
    name: 'an access entry is deleted',
    found: ['leaf-without-row'],
    do: ({ records }) => remove(records, 'access_entry', 'id = (select min(id) from access_entry)'),
  },
  {
    name: 'the leaf of an access entry is deleted',
    found: ['access-without-leaf', 'leaf-gap'],
    do: ({ records }) => remove(records, 'leaf', 'access_id = (select min(id) from access_entry)'),
  },
];

/** Fabric's composite keys begin with U+0000 and the type of state. */
const IS_ANCHOR = "substr(key, 2, 6) = 'anchor'::bytea";

function changeAnchor(records: ScrubWorld['records'], table: string, order: string): Promise<Undo> {
  const newest = `${order} = (select block from batch where ${NEWEST}) and ${IS_ANCHOR}`;
  return change(records, table, newest, {
    value: `convert_to(regexp_replace(convert_from(value, 'UTF8'), '"root":"..', '"root":"zz'), 'UTF8')`,
  });
}

test('a node that was left alone has nothing to report', async () => {
  const { findings, summary } = await world.scrub();
  assert.deepEqual(findings, []);
  const { rows } = await world.records.query('select count(*)::int as versions from resource_version');
  assert.equal(summary.counts.versions, rows[0].versions);
  assert.equal(summary.counts.numberedLeaves + summary.counts.pendingLeaves, rows[0].versions);
  for (const [name, count] of Object.entries(summary.counts)) assert.ok(count > 0 || name === 'pendingLeaves', name);
});

for (const damage of DAMAGES) {
  test(`found, and nothing else: ${damage.name}`, async () => {
    const undo = await damage.do(world);
    try {
      const { findings, summary } = await world.scrub();
      assert.deepEqual(findings.map(({ kind }) => kind).sort(), damage.found, JSON.stringify(findings));
      assert.equal(summary.findings, damage.found.length);
    } finally {
      await undo();
    }
    assert.deepEqual((await world.scrub()).findings, []);
  });
}

test('found: the key of a patient is gone, at every record under it', async () => {
  const { rows } = await world.records.query(
    'select array_agg(distinct patient) as patients, count(*)::int as versions from resource_version, unnest(patients) as patient',
  );
  const undo = await remove(world.keys, 'kek', `subject = '${rows[0].patients[0]}'`);
  const { findings } = await world.scrub();
  await undo();
  assert.deepEqual(new Set(findings.map(({ kind }) => kind)), new Set(['key-missing']));
  assert.equal(findings.length, rows[0].versions);
});

test('found: a CAR file is gone', async () => {
  const { node, records } = world;
  const { rows } = await records.query(
    `select manifest, size - first as leaves from batch where ${RECORDS} and first = 0`,
  );
  const car = join(node.dataDirectory, 'content', 'cars', `${rows[0].manifest}.car`);
  await node.stop();
  await rename(car, `${car}.away`);
  await node.restart();
  const { findings } = await world.scrub();
  await node.stop();
  await rename(`${car}.away`, car);
  await node.restart();
  assert.deepEqual(findings.map(({ kind }) => kind).sort(), ['block-missing', 'manifest-missing']);
  assert.equal(findings.find(({ kind }) => kind === 'block-missing')?.count, Number(rows[0].leaves));
  assert.deepEqual((await world.scrub()).findings, []);
});

test('a CAR file that is gone is made anew by mending, if it comes out the same, and otherwise stays told of', async () => {
  const { node, records } = world;
  const { rows } = await records.query(`select manifest from batch where ${RECORDS} and first = 0`);
  const car = join(node.dataDirectory, 'content', 'cars', `${rows[0].manifest}.car`);
  await node.stop();
  await rename(car, `${car}.away`);
  await node.restart();
  // Something of the batch is not in the database as it was either.
  const undo = await change(
    records,
    'resource_version',
    `id = (select version_id from leaf where ${RECORDS} and number = 0)`,
    {
      envelope: `'x' || envelope`,
    },
  );
  const marks = (findings: readonly { kind: string; mended?: boolean }[]) =>
    findings
      .filter(({ kind }) => /^(manifest|block)-/.test(kind))
      .map(({ kind, mended = false }) => `${kind} ${mended}`)
      .sort();
  assert.deepEqual(marks((await world.scrub({ mend: true })).findings), [
    'block-missing false',
    'manifest-missing false',
  ]);
  await undo();

  const told = await medseal(['scrub', '--mend'], { dataDirectory: node.dataDirectory });
  assert.equal(told.exitCode, 1, 'there was something');
  assert.match(told.stdout, /✗ manifest-missing: .*\(mended\)/);
  assert.match(told.stdout, /✗ block-missing: .*\(mended\)/);
  assert.deepEqual((await world.scrub()).findings, []);
  assert.deepEqual(await readFile(car), await readFile(`${car}.away`), 'byte for byte');
});

test('a key that no record uses is told of, and swept when it is older than an hour', async () => {
  const { keys, scrub, node } = world;
  const subject = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee';
  const made = (ago: string) =>
    keys.query(
      `insert into kek (subject, generation, wrapped, created_at) values ($1, 1, 'x', now() - $2::interval)
       on conflict (subject, generation) do update set created_at = excluded.created_at`,
      [subject, ago],
    );
  const orphan = (swept: boolean) => [{ kind: 'orphan-key', severity: 'information', token: `${subject}.1`, swept }];
  const told = async (options?: { sweep: boolean }) => {
    const { findings, summary } = await scrub(options);
    assert.equal(summary.findings, 0);
    return findings.map(({ kind, severity, token, swept = false }) => ({ kind, severity, token, swept }));
  };
  const state = async () => (await keys.query('select retired_at from kek where subject = $1', [subject])).rows;

  await made('59 minutes');
  assert.deepEqual(await told({ sweep: true }), orphan(false));
  await made('61 minutes');
  assert.deepEqual(await told(), orphan(false));
  assert.equal((await medseal(['scrub'], { dataDirectory: node.dataDirectory })).exitCode, 0);
  assert.equal((await state())[0].retired_at, null);
  assert.deepEqual(await told({ sweep: true }), orphan(true));
  assert.notEqual((await state())[0].retired_at, null);
  // Out of use, and kept for whoever had it in mind.
  assert.deepEqual(await told({ sweep: true }), []);
  assert.equal((await state()).length, 1);
  await keys.query("update kek set retired_at = now() - interval '61 minutes' where subject = $1", [subject]);
  assert.deepEqual(await told({ sweep: true }), orphan(true));
  assert.deepEqual(await state(), []);
});

test('what is written after a key was taken out of use has a new one, and the old one still opens', async () => {
  const { records, keys, node, scrub, put, settle } = world;
  const { rows } = await records.query("select patients[1] as patient from resource_version where type = 'Patient'");
  await node.stop();
  await keys.query('update kek set retired_at = now() where subject = $1', [rows[0].patient]);
  await node.restart();
  await put({ resourceType: 'Patient', id: 'one', active: false } as { resourceType: string; id: string });
  await settle();
  const generations = await keys.query('select generation from kek where subject = $1 order by 1', [rows[0].patient]);
  assert.deepEqual(
    generations.rows.map(({ generation }) => generation),
    [1, 2],
  );
  assert.deepEqual((await scrub({ sweep: true })).findings, []);
});

test('the command prints what is found, nothing out of a record, and tells by its exit code', async () => {
  const { node, records } = world;
  const clean = await medseal(['scrub'], { dataDirectory: node.dataDirectory });
  assert.equal(clean.exitCode, 0, clean.stderr);
  assert.match(clean.stdout, /versions +\d+ +\d+ numbered leaves, 0 pending/);
  assert.match(clean.stdout, /nothing to report/);
  const undo = await change(records, 'resource_version', FIRST, { leaf_hash: FLIP('leaf_hash') });
  const damaged = await medseal(['scrub'], { dataDirectory: node.dataDirectory });
  await undo();
  assert.equal(damaged.exitCode, 1);
  assert.match(damaged.stdout, /✗ version-leaf-differs: .*\n +hospital-a, type Observation, row \d+ \(version 1\)/);
  assert.match(damaged.stdout, /1 disagreement /);
});

test('only the operator may scrub', async () => {
  const { node } = world;
  const token = await node.token('hospital-a');
  const refused = await fetch(`${node.url}/admin/scrub`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  assert.equal(refused.status, 403);
});
