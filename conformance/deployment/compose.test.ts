/** docker-compose.yml against what it starts: variables, ports, files, secrets. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { VARIANTS } from '../../fabric/network/organisations.ts';
import { createMetrics } from '../../src/api/metrics.ts';
import { environmentVariables } from '../architecture/environment.ts';
import { ROOT } from '../architecture/sources.ts';
import { type ComposeService, readCompose, readText, servicesOf } from './compose-file.ts';

const file = readCompose();
const services = Object.entries(file.services);
const ONCE = ['material', 'channel'];
/** Official images that begin as root and give it up by themselves. */
const GIVE_UP_ROOT = /^(postgres|couchdb):/;

test('every organisation has all its parts, in the profiles of its network', () => {
  const kinds = ['medseal', 'postgres', 'kubo', 'peer', 'couchdb', 'ca', 'chaincode', 'orderer'];
  for (const [profile, { organisations, orderers }] of [
    ['demo', VARIANTS.raft],
    ['consortium', VARIANTS.bft],
  ] as const) {
    const expected = kinds.flatMap((kind) =>
      (kind === 'orderer' ? orderers : organisations).map(({ name }) => `${kind}.${name}.example`),
    );
    const found = services.filter(([name, { profiles = [] }]) => name.includes('.') && profiles.includes(profile));
    assert.deepEqual(found.map(([name]) => name).sort(), expected.sort(), profile);
  }
});

test('every variable that a server is given is one that it reads', () => {
  const known = new Set(environmentVariables().map(([name]) => name));
  const servers = servicesOf(file, 'medseal');
  assert.equal(servers.length, 4);
  for (const [name, { environment = {} }] of servers) {
    const unknown = Object.keys(environment).filter((variable) => !known.has(variable));
    assert.deepEqual(unknown, [], name);
    assert.ok('MEDSEAL_FABRIC' in environment && 'MEDSEAL_DATABASE_URL' in environment);
  }
});

test('every variable that a chaincode is given is one that it reads', () => {
  const text = readText('chaincode/src/service-options.ts');
  for (const [name, { environment = {} }] of servicesOf(file, 'chaincode')) {
    for (const variable of Object.keys(environment)) assert.ok(text.includes(variable), `${name}: ${variable}`);
  }
});

test('every published port is one that the container serves, on this machine only and once', () => {
  const taken = new Set<string>();
  for (const [name, { ports = [], environment = {} }] of services) {
    for (const port of ports) {
      const [, outside = '', inside] = /^127\.0\.0\.1:(\d+):(\d+)$/.exec(port) ?? [];
      assert.ok(outside !== '' && !taken.has(outside), `${name}: ${port}`);
      taken.add(outside);
      assert.equal(inside, name === 'grafana' ? '3000' : environment.PORT, name);
    }
  }
});

test('what one service asks of another is where that one listens', () => {
  const listening: Readonly<Record<string, readonly number[]>> = {
    medseal: [8080],
    postgres: [5432],
    kubo: [5001],
    couchdb: [5984],
    peer: [7051, 7052, 9443],
    orderer: [7050, 7053, 8443],
    chaincode: [9998, 9999],
    prometheus: [9090],
  };
  const texts = [
    JSON.stringify(file),
    readText('fabric/docker/prometheus.yml'),
    readText('fabric/docker/grafana/datasources/prometheus.yml'),
  ];
  const asked = texts.flatMap((text) => [...text.matchAll(/\b([a-z]+)((?:\.[a-z-]+\.example)?):(\d{4})\b/g)]);
  const known = asked.filter(([, kind = '']) => kind in listening);
  assert.ok(known.length > 30);
  for (const [place, kind = '', rest, port] of known) {
    assert.ok(`${kind}${rest}` in file.services, place);
    assert.ok(listening[kind]?.includes(Number(port)), place);
  }
});

test('nothing secret is in the file, and what it asks for is in the example', () => {
  const example = readText('fabric/docker/environment.example');
  const asked = [...readText('docker-compose.yml').matchAll(/(?<!\$)\$\{([A-Z_]+)(:?[-?])?/g)];
  assert.ok(asked.length > 10);
  for (const [, name = '', otherwise] of asked) {
    assert.ok(otherwise === ':-' || new RegExp(`^#?${name}=`, 'm').test(example), name);
  }
  assert.doesNotMatch(example, /PASSWORD=./);
  for (const [name, { environment = {} }] of services) {
    for (const [variable, value] of Object.entries(environment)) {
      if (!/PASSWORD|SECRET/.test(variable)) continue;
      assert.match(value, /^\$\{[A-Z_]+(:\?[^}]*)?\}$/, `${name}: ${variable}`);
    }
  }
  assert.match(readText('.gitignore'), /^\.env$/m);
  assert.match(readText('.dockerignore'), /^\.env$/m);
});

test('nobody stays root, and what runs on is restarted and looked after', () => {
  for (const [name, service] of services) {
    if (ONCE.includes(name)) continue;
    assert.ok(isNotRoot(service), `${name} runs as root`);
    assert.equal(service.restart, 'unless-stopped', name);
    assert.ok(service.healthcheck !== undefined, `${name} has no health check`);
  }
});

test('volumes, networks, files and dependencies are there', () => {
  for (const [name, { volumes = [], networks = [], depends_on = {}, profiles = [], build }] of services) {
    for (const volume of volumes) {
      const [source = ''] = volume.split(':');
      const found = source.startsWith('.') ? existsSync(join(ROOT, source)) : source in file.volumes;
      assert.ok(found, `${name}: ${volume}`);
    }
    for (const network of networks) assert.ok(network in file.networks, `${name}: ${network}`);
    for (const [needed, { required = true }] of Object.entries(depends_on)) {
      const other = file.services[needed];
      assert.ok(other !== undefined, `${name} needs ${needed}`);
      const missing = profiles.filter((profile) => other.profiles?.includes(profile) !== true);
      assert.ok(!required || missing.length === 0, `${name} needs ${needed} in ${missing}`);
    }
    if (build !== undefined) assert.ok(existsSync(join(ROOT, dockerfileOf(build))), name);
  }
  const used = new Set(services.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0])));
  assert.deepEqual(
    Object.keys(file.volumes).filter((volume) => !used.has(volume)),
    [],
  );
});

test('what images copy is there', () => {
  for (const path of ['fabric/docker/server.Dockerfile', 'chaincode/Dockerfile', 'fabric/docker/setup.Dockerfile']) {
    for (const [line, sources = ''] of readText(path).matchAll(/^COPY (?!--from)(.+) \S+$/gm)) {
      for (const source of sources.split(' ')) assert.ok(existsSync(join(ROOT, source)), `${path}: ${line}`);
    }
  }
});

test('Grafana shows metrics that there are', async () => {
  const own = createMetrics();
  own.observeRequest('read', 200, 0.1);
  const told = await own.scrape();
  const { panels } = JSON.parse(readText('fabric/docker/grafana/dashboards/medseal.json')) as {
    panels: { targets: { expr: string }[] }[];
  };
  const names = panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => expr.match(/\bmedseal_\w+/g) ?? []));
  assert.ok(names.length >= 8);
  for (const name of names)
    assert.match(told, new RegExp(`^# TYPE ${name.replace(/_(bucket|count|sum)$/, '')} `, 'm'), name);
  for (const path of [
    'fabric/docker/prometheus.yml',
    'fabric/docker/grafana/datasources/prometheus.yml',
    'fabric/docker/grafana/dashboards/medseal.yml',
  ]) {
    assert.equal(typeof parse(readText(path)), 'object', path);
  }
});

function isNotRoot({ user, image = '', build }: ComposeService): boolean {
  if (user !== undefined) return !/^(0|root)\b/.test(user);
  if (build !== undefined) return /^USER (?!root)/m.test(readText(dockerfileOf(build)));
  return GIVE_UP_ROOT.test(image);
}

function dockerfileOf(build: NonNullable<ComposeService['build']>): string {
  return typeof build === 'string' ? join(build, 'Dockerfile') : join(build.context, build.dockerfile ?? 'Dockerfile');
}
