import { readFileSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { Ajv, type JSONSchemaType } from 'ajv';
import { MedSealError } from './errors.ts';

/** What the environment says, checked and frozen. Every variable is described in README.md, "Configuration". */
export interface Config {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Absolute URL without a trailing slash; undefined: `http://HOST:PORT` once the port is known. */
  readonly publicUrl: string | undefined;
  /** Absolute path. */
  readonly dataDirectory: string;
  readonly databaseUrl: string | undefined;
  readonly keyDatabaseUrl: string | undefined;
  /** Absolute path of the owner-only file that holds the master key. */
  readonly masterKeyFile: string;
  /** Kubo RPC addresses; empty: CAR files in the data directory. */
  readonly ipfsApis: readonly string[];
  /** undefined: the embedded ledger. */
  readonly fabric: FabricConfig | undefined;
  /** An external token issuer; undefined: the embedded authorization server. */
  readonly issuer: string | undefined;
  /** Exact `host:port` pairs that the server may call out to. */
  readonly egressAllow: readonly string[];
  /** Origins of pages that may use the API from a browser, or `*`; none unless named. */
  readonly corsOrigins: readonly string[];
  /** Days that entries of the access trail are kept; undefined: for ever. */
  readonly accessRetention: number | undefined;
  /** After this many milliseconds a search ends with `timed-out`. */
  readonly searchTimeout: number;
  readonly logLevel: LogLevel;
  /** A fault drill (fault-drill.ts); never set in production. */
  readonly fault: string | undefined;
}

/** `MEDSEAL_FABRIC`: paths are relative to the file itself. */
export interface FabricConfig {
  readonly mspId: string;
  readonly certificate: string;
  readonly key: string;
  readonly peers: readonly { readonly endpoint: string; readonly tlsRoot: string; readonly hostAlias?: string }[];
  readonly channel: string;
  readonly chaincode: string;
  /** The trust roots that evidence is verified with; they name the channel's organisations. */
  readonly roots: string;
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

interface Environment {
  HOST: string;
  PORT: string;
  MEDSEAL_PUBLIC_URL?: string;
  MEDSEAL_DATA: string;
  MEDSEAL_DATABASE_URL?: string;
  MEDSEAL_KEY_DATABASE_URL?: string;
  MEDSEAL_MASTER_KEY_FILE?: string;
  MEDSEAL_IPFS_API?: string;
  MEDSEAL_FABRIC?: string;
  MEDSEAL_ISSUER?: string;
  MEDSEAL_EGRESS_ALLOW: string;
  MEDSEAL_CORS_ORIGINS: string;
  MEDSEAL_ACCESS_RETENTION?: string;
  MEDSEAL_SEARCH_TIMEOUT: string;
  LOG_LEVEL: LogLevel;
  MEDSEAL_FAULT?: string;
}

const optional = { type: 'string', nullable: true } as const;
const httpUrl = { ...optional, pattern: '^https?://[^\\s/]+(/[^\\s]*)?$' } as const;
const postgresUrl = { ...optional, pattern: '^postgres(ql)?://' } as const;
const origin = 'https?://[^\\s/,*]+';
const hostPort = '[^\\s,:]+:[0-9]{1,5}';

const ENVIRONMENT: JSONSchemaType<Environment> = {
  type: 'object',
  properties: {
    HOST: { type: 'string', minLength: 1 },
    PORT: {
      type: 'string',
      pattern: '^([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$',
    },
    MEDSEAL_PUBLIC_URL: httpUrl,
    MEDSEAL_DATA: { type: 'string', minLength: 1 },
    MEDSEAL_DATABASE_URL: postgresUrl,
    MEDSEAL_KEY_DATABASE_URL: postgresUrl,
    MEDSEAL_MASTER_KEY_FILE: optional,
    MEDSEAL_IPFS_API: { ...optional, pattern: '^https?://[^\\s,]+(,https?://[^\\s,]+)*$' },
    MEDSEAL_FABRIC: optional,
    MEDSEAL_ISSUER: httpUrl,
    MEDSEAL_EGRESS_ALLOW: { type: 'string', pattern: `^(${hostPort}(,${hostPort})*)?$` },
    MEDSEAL_CORS_ORIGINS: { type: 'string', pattern: `^(\\*|(${origin}(,${origin})*)?)$` },
    MEDSEAL_ACCESS_RETENTION: { ...optional, pattern: '^[1-9][0-9]{0,4}$' },
    MEDSEAL_SEARCH_TIMEOUT: { type: 'string', pattern: '^[1-9][0-9]{0,3}$' },
    LOG_LEVEL: { type: 'string', enum: LOG_LEVELS },
    MEDSEAL_FAULT: optional,
  },
  required: [
    'HOST',
    'PORT',
    'MEDSEAL_DATA',
    'MEDSEAL_EGRESS_ALLOW',
    'MEDSEAL_CORS_ORIGINS',
    'MEDSEAL_SEARCH_TIMEOUT',
    'LOG_LEVEL',
  ],
  additionalProperties: true,
};

const FABRIC: JSONSchemaType<FabricConfig> = {
  type: 'object',
  properties: {
    mspId: { type: 'string', minLength: 1 },
    certificate: { type: 'string', minLength: 1 },
    key: { type: 'string', minLength: 1 },
    peers: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        properties: {
          endpoint: { type: 'string', pattern: `^${hostPort}$` },
          tlsRoot: { type: 'string', minLength: 1 },
          hostAlias: { type: 'string', nullable: true },
        },
        required: ['endpoint', 'tlsRoot'],
        additionalProperties: false,
      },
    },
    channel: { type: 'string', minLength: 1 },
    chaincode: { type: 'string', minLength: 1 },
    roots: { type: 'string', minLength: 1 },
  },
  required: ['mspId', 'certificate', 'key', 'peers', 'channel', 'chaincode', 'roots'],
  additionalProperties: false,
};

const DEFAULTS = {
  HOST: '127.0.0.1',
  PORT: '8080',
  MEDSEAL_DATA: '.medseal',
  MEDSEAL_EGRESS_ALLOW: '',
  MEDSEAL_CORS_ORIGINS: '',
  MEDSEAL_SEARCH_TIMEOUT: '30',
  LOG_LEVEL: 'info',
} as const;

/**
 * Reads and checks the environment. A variable that is set but empty counts as unset.
 *
 * @throws MedSealError `invalid-configuration` that names every variable that is wrong, and how
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>> = process.env): Config {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const env: unknown = { ...DEFAULTS, ...given };
  const validate = new Ajv({ allErrors: true, strict: true }).compile(ENVIRONMENT);
  if (!validate(env)) {
    const found = (validate.errors ?? []).map((error) => `${error.instancePath.slice(1)} ${error.message}`);
    throw new MedSealError('invalid-configuration', `The environment is not valid: ${found.join('; ')}`);
  }
  const dataDirectory = resolve(env.MEDSEAL_DATA);
  return deepFreeze({
    host: env.HOST,
    port: Number(env.PORT),
    publicUrl: env.MEDSEAL_PUBLIC_URL?.replace(/\/+$/, ''),
    dataDirectory,
    databaseUrl: env.MEDSEAL_DATABASE_URL,
    keyDatabaseUrl: env.MEDSEAL_KEY_DATABASE_URL,
    masterKeyFile: resolve(env.MEDSEAL_MASTER_KEY_FILE ?? join(dataDirectory, 'master.key')),
    ipfsApis: list(env.MEDSEAL_IPFS_API),
    fabric: env.MEDSEAL_FABRIC === undefined ? undefined : readFabric(resolve(env.MEDSEAL_FABRIC)),
    issuer: env.MEDSEAL_ISSUER?.replace(/\/+$/, ''),
    egressAllow: list(env.MEDSEAL_EGRESS_ALLOW),
    corsOrigins: list(env.MEDSEAL_CORS_ORIGINS),
    accessRetention: env.MEDSEAL_ACCESS_RETENTION === undefined ? undefined : Number(env.MEDSEAL_ACCESS_RETENTION),
    searchTimeout: Number(env.MEDSEAL_SEARCH_TIMEOUT) * 1000,
    logLevel: env.LOG_LEVEL,
    fault: env.MEDSEAL_FAULT,
  });
}

function list(text: string | undefined): readonly string[] {
  return text === undefined || text === '' ? [] : text.split(',');
}

function readFabric(file: string): FabricConfig {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new MedSealError('invalid-configuration', `MEDSEAL_FABRIC: ${file} is not a readable JSON file`, { cause });
  }
  const validate = new Ajv({ allErrors: true, strict: true }).compile(FABRIC);
  if (!validate(parsed)) {
    const found = (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
    throw new MedSealError('invalid-configuration', `MEDSEAL_FABRIC: ${file}: ${found.join('; ')}`);
  }
  const absolute = (path: string) => (isAbsolute(path) ? path : join(file, '..', path));
  return {
    ...parsed,
    certificate: absolute(parsed.certificate),
    key: absolute(parsed.key),
    roots: absolute(parsed.roots),
    peers: parsed.peers.map((peer) => ({ ...peer, tlsRoot: absolute(peer.tlsRoot) })),
  };
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (inner !== null && typeof inner === 'object') deepFreeze(inner);
  return Object.freeze(value);
}
