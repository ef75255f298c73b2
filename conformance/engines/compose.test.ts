/**
 * What docker-compose.yml's containers are started with, by Fabric's real programs. There is no Docker in it: which files
 * and variables they get is what is held here, and that an interrupted set-up can be finished.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite, test } from 'node:test';
import { setUpMaterial } from '../../fabric/docker/setup.ts';
import { dockerAddresses } from '../../fabric/network/addresses.ts';
import { createChannel } from '../../fabric/network/channel.ts';
import { layout } from '../../fabric/network/layout.ts';
import { chaincodePackage } from '../../fabric/network/material.ts';
import { nodesOf } from '../../fabric/network/nodes.ts';
import { VARIANTS } from '../../fabric/network/organisations.ts';
import { findPrograms } from '../../fabric/network/programs.ts';
import { readConfig } from '../../src/config.ts';
import { parseRoots } from '../../src/trail/evidence/roots.ts';
import { type ComposeFile, type ComposeService, readCompose, servicesOf } from '../deployment/compose-file.ts';
import { skippedWithout } from '../support/engines.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { testNetwork } from '../support/test-network.ts';

/** What a container has otherwise than a plain process: it listens on every address, and its peer keeps state elsewhere. */
const OWN_WAY =
  /LISTENADDRESS$|_COUCHDBCONFIG_|_STATEDATABASE$|^CHAINCODE_ID$|_ADDRESS$|EXTERNALBUILDERS$|BUILDER_CONFIG$/;

suite('the set-up of docker-compose.yml', { skip: skippedWithout('peer') }, () => {
  for (const profile of ['demo', 'consortium']) {
    test(`${profile}: every file that a container is pointed to is in its organisation's volume`, async () => {
      const { organisations } = await made(profile);
      const file = readCompose();
      let paths = 0;
      for (const [name, service] of Object.entries(file.services)) {
        if (!name.includes('.') || !service.profiles?.includes(profile)) continue;
        for (const path of pathsOf(service)) {
          const volume = join(organisations, name.split('.')[1] ?? '');
          assert.ok(existsSync(join(volume, path)) || path.startsWith('data/'), `${name}: ${path}`);
          paths += 1;
        }
      }
      assert.ok(paths > 30);
    });
  }

  test('what one organisation is given holds no key of another', async () => {
    const { organisations } = await made('consortium');
    for (const { name } of VARIANTS.bft.organisations) {
      const others = VARIANTS.bft.organisations.filter((other) => other.name !== name);
      const listed = execFileSync('find', [join(organisations, name)], { encoding: 'utf8' });
      for (const other of others) assert.ok(!listed.includes(other.domain), `${name} has something of ${other.name}`);
    }
  });

  test('each server’s configuration is one that it takes, with roots that verify', async () => {
    const { organisations } = await made('consortium');
    for (const { name, mspId, domain } of VARIANTS.bft.organisations) {
      const { fabric } = readConfig({ MEDSEAL_FABRIC: join(organisations, name, name, 'medseal-fabric.json') });
      assert.deepEqual([fabric?.mspId, fabric?.peers[0]?.endpoint], [mspId, `peer.${domain}:7051`]);
      for (const path of [fabric?.certificate, fabric?.key, fabric?.peers[0]?.tlsRoot])
        assert.ok(existsSync(path ?? ''));
      assert.equal(parseRoots(readFileSync(fabric?.roots ?? '', 'utf8')).ledger.ledger, 'fabric');
    }
  });

  test('peers, orderers and chaincodes are given what the plain processes are', async () => {
    const { root } = await made('consortium');
    const file = readCompose();
    const membership = VARIANTS.bft;
    const [leader] = membership.orderers;
    assert.ok(leader !== undefined);
    const setting = {
      files: layout(root),
      programs: findPrograms(),
      addresses: dockerAddresses(membership),
      packageId: chaincodePackage().id,
      leader,
    };
    const nodes = nodesOf(membership, setting);
    assert.equal(nodes.length, 12);
    for (const { name, environment } of nodes) {
      const [organisation, kind] = name.split('.');
      const service = file.services[`${kind}.${organisation}.example`];
      const shared = ([variable]: readonly [string, string]) => !OWN_WAY.test(variable);
      const plain = Object.entries(environment).filter(shared);
      const given = Object.entries(service?.environment ?? {}).filter(shared);
      const inVolume = plain.map(([variable, value]) => [variable, value.replaceAll(root, '/organisation')]);
      assert.deepEqual(given.sort(), inVolume.sort(), name);
    }
  });

  test('a set-up that was interrupted is finished by another run, and one that is done stays as it is', async () => {
    const { network, close } = await testNetwork('raft');
    try {
      const root = dirname(network.rootsFile);
      const { addresses, packageId } = JSON.parse(readFileSync(join(root, 'network.json'), 'utf8'));
      const [leader] = VARIANTS.raft.orderers;
      assert.ok(leader !== undefined);
      await createChannel(VARIANTS.raft, {
        files: layout(root),
        programs: findPrograms(),
        addresses,
        packageId,
        leader,
      });
      await network.ready();
      for (const [kind, port] of [
        ['peer', 9443],
        ['orderer', 8443],
      ] as const) {
        const [command, ...args] = healthOf(readCompose(), kind, port, network.operationsUrl(`hospital-a.${kind}`));
        assert.ok(command !== undefined);
        execFileSync(command, args);
      }
    } finally {
      await close();
    }
  });
});

async function made(profile: string) {
  const directory = await temporaryDirectory();
  const places = { root: join(directory, 'root'), organisations: join(directory, 'organisations') };
  for (const { name } of VARIANTS.bft.organisations) mkdirSync(join(places.organisations, name), { recursive: true });
  await setUpMaterial(profile, places);
  const before = readFileSync(join(places.root, 'genesis.block'));
  await setUpMaterial(profile, places);
  assert.deepEqual(readFileSync(join(places.root, 'genesis.block')), before, 'again: nothing changes');
  return places;
}

/** What a service is pointed to in its organisation's volume. */
function pathsOf({ environment = {} }: ComposeService): readonly string[] {
  return Object.values(environment).flatMap((value) =>
    [...value.matchAll(/\/organisation\/([^\],]+)/g)].map(([, path = '']) => path),
  );
}

/** The health check of a container, for a node that serves its operations elsewhere. */
function healthOf(file: ComposeFile, kind: string, port: number, url: string): readonly string[] {
  const [, service] = servicesOf(file, kind)[0] ?? [];
  const { test: [, ...command] = [] } = (service?.healthcheck ?? {}) as { test?: string[] };
  return command.map((part) => part.replace(`127.0.0.1/${port}`, `127.0.0.1/${new URL(url).port}`));
}
