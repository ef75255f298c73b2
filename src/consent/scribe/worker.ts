import { parentPort, workerData } from 'node:worker_threads';
import type { Resource } from '@medplum/fhirtypes';
import { parseJson } from '../../fhir/json/parse.ts';
import { extendRegistry } from '../../fhir/search/custom/registry.ts';
import { createSearchRegistry, type SearchRegistry } from '../../fhir/search/registry.ts';
import type { ParameterSet } from '../../repository/custom-parameters.ts';
import { createNames } from '../../repository/names.ts';
import { sealDraft } from '../../repository/seal-draft.ts';
import { createSources } from '../../sealing/blind-index/sources.ts';
import { createTokenizer } from '../../sealing/blind-index/tokenizer.ts';
import { createIdentities, deriveKey } from '../../sealing/identity.ts';
import { createRandomPool } from '../../sealing/random.ts';
import { createDescriber } from '../describe.ts';
import { createFactsReader } from '../record-facts.ts';
import {
  type Described,
  type DescribeItem,
  READY,
  type ScribeAnswer,
  type ScribeData,
  type ScribeRequest,
  type Sealed,
  type SealItem,
} from './protocol.ts';

const { secret: bytes, publicUrl } = workerData as ScribeData;
const secret = Buffer.from(bytes);
const registry = createSearchRegistry();
const tokenizer = createTokenizer(secret);
const identities = createIdentities(secret);
const random = createRandomPool();
let institutions = new Set<string>();
const names = createNames({
  institutions: { find: (name) => (institutions.has(name) ? { name } : undefined) },
  identities,
  publicUrl,
});
const facts = createFactsReader(registry, names);
const contentKey = deriveKey(secret, 'content');
const extended = new Map<string, { readonly revision: number; readonly indexed: SearchRegistry }>();
const describer = createDescriber({
  registry,
  registryOf: (institution) => extended.get(institution)?.indexed ?? registry,
  names,
  facts,
  tokenizer,
  sourcesOf: createSources(),
  contentKey,
});

/** Compiled again only where a set was changed. */
function know(sets: readonly ParameterSet[]): void {
  const present = new Set(sets.map(({ institution }) => institution));
  for (const institution of extended.keys()) if (!present.has(institution)) extended.delete(institution);
  for (const { institution, revision, parameters } of sets) {
    if (extended.get(institution)?.revision === revision) continue;
    extended.set(institution, { revision, indexed: extendRegistry(registry, institution, parameters).indexed });
  }
}

function describe({ text, institution, idToken, version }: DescribeItem): Described {
  const resource = parseJson(Buffer.from(text)) as object as Resource;
  const contentToken = describer.contentToken(idToken, text);
  return { ...describer.describe(resource, institution, version), contentToken };
}

function seal({ text, previous, wrapping, ...item }: SealItem): Sealed {
  const parts = sealDraft(
    {
      ...item,
      content: text,
      previous: previous === undefined ? undefined : Buffer.from(previous, 'hex'),
    },
    wrapping,
    random,
  );
  return { ...parts, digest: parts.digest?.toString('hex'), leafHash: parts.leafHash.toString('hex') };
}

function answer(request: ScribeRequest): ScribeAnswer {
  const { ticket } = request;
  try {
    if (request.kind === 'seal') return { ticket, kind: 'sealed', items: request.items.map(seal) };
    institutions = new Set(request.institutions);
    know(request.parameters);
    return { ticket, kind: 'described', items: request.items.map(describe) };
  } catch {
    // The server does it again, and fails where whoever asked can be told.
    return { ticket, kind: 'failed' };
  }
}

parentPort?.on('message', (request: ScribeRequest) => parentPort?.postMessage(answer(request)));
parentPort?.postMessage(READY);
