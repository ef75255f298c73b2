import { invariant, MedSealError } from '../errors.ts';
import type { SortKeys } from '../sealing/blind-index/sort-keys.ts';
import type { Identities } from '../sealing/identity.ts';
import type { KeyService } from '../sealing/key-service.ts';
import {
  envelopeKid,
  joinSegments,
  type LeafSecrets,
  leafSecrets,
  openEnvelope,
  openVersion,
  type VersionContext,
} from '../sealing/version.ts';
import { cidOfDigest, readIndexBlock } from '../storage/content/cid.ts';
import type { ContentStore } from '../storage/content/port.ts';
import type { InstitutionDirectory } from './institutions.ts';
import { createOpenedCache } from './opened-cache.ts';
import type { PermittedRow, SortRow } from './permitted.ts';
import type { VersionLoader } from './version-loader.ts';
import { sealingSubjects, UNKNOWN_SUBJECT } from './write.ts';

/** A version out of its seal. */
export interface OpenedRecord extends OpenedContent {
  readonly row: PermittedRow;
}

interface OpenedContent {
  readonly institution: string;
  readonly id: string;
  readonly author: string;
  /** What it is sorted by. */
  readonly sort: SortKeys;
  /** The resource's exact bytes; undefined for a deletion. */
  readonly content: Buffer | undefined;
}

export interface RecordOpener {
  /** @throws MedSealError `sealed-content-damaged` */
  open(row: PermittedRow): Promise<OpenedRecord>;
  /** Loads the keys of all of these together; one that is not there is told when its record is opened. */
  loadKeys(rows: readonly Pick<PermittedRow, 'envelope'>[]): Promise<void>;
  /** What evidence of it needs beside its content. @throws MedSealError `sealed-content-damaged` */
  leafSecrets(row: PermittedRow): Promise<LeafSecrets>;
  /** The sort keys alone, for which the content need not be opened. @throws MedSealError `sealed-content-damaged` */
  sortKeys(row: SortRow): Promise<SortKeys>;
}

export interface RecordOpenerOptions {
  readonly keys: KeyService;
  readonly identities: Identities;
  readonly institutions: InstitutionDirectory;
  readonly loader: Pick<VersionLoader, 'sealed'>;
  /** Holds what PostgreSQL no longer does. */
  readonly content: Pick<ContentStore, 'get'>;
  /** Bytes of opened content to keep of what is opened again; 0 for none. */
  readonly cacheBytes?: number;
}

/** Opened versions never change, so what is kept cannot be stale; whether it may be shown is decided before, each time. */
export function createRecordOpener(options: RecordOpenerOptions): RecordOpener {
  const { keys, identities, institutions, loader, content: store, cacheBytes = 16 * 1024 * 1024 } = options;
  const cache = createOpenedCache<OpenedContent>(cacheBytes);
  const oneByOne = createQueue();

  function nameOf(row: Pick<PermittedRow, 'institution'>): string {
    const institution = institutions.byId(row.institution);
    invariant(institution !== undefined, 'a record belongs to an institution that is not known');
    return institution.name;
  }

  /** What has to be loaded waits its turn. */
  async function withSealed<T>(row: PermittedRow, use: (sealed: string | undefined) => T): Promise<T> {
    if (row.interaction === 'delete' || row.sealed !== null) return use(row.sealed ?? undefined);
    return oneByOne(async () => use((await loader.sealed(row.versionId)) ?? (await fetchSealed(store, row.digest))));
  }

  function contextOf(row: PermittedRow, institution: string): VersionContext {
    const { type, idToken, version } = row;
    return { institution, type, idToken, version, subjects: sealingSubjects(row.patients, institution, identities) };
  }

  return {
    async open(row) {
      const known = cache.get(row.versionId);
      if (known !== undefined) return { ...known, row };
      const institution = nameOf(row);
      const key = await keys.openingKey(envelopeKid(row.envelope));
      const context = contextOf(row, institution);
      const { content, facts } = await withSealed(row, (sealed) => openVersion(context, sealed, row.envelope, key));
      const undetermined = row.patients.includes(UNKNOWN_SUBJECT);
      if (facts.at !== row.at || facts.interaction !== row.interaction || facts.undetermined !== undetermined)
        throw new MedSealError('sealed-content-damaged', 'A version is sealed with other facts than its row has');
      const opened = { institution, id: facts.id, author: facts.author, sort: facts.sort, content };
      cache.offer(row.versionId, opened, (content?.byteLength ?? 0) + 500);
      return { ...opened, row };
    },
    async loadKeys(rows) {
      const headers = new Set(rows.map(({ envelope }) => envelope.slice(0, envelope.indexOf('.') + 1)));
      await Promise.allSettled([...headers].map(async (header) => keys.openingKey(envelopeKid(header))));
    },
    async leafSecrets(row) {
      const key = await keys.openingKey(envelopeKid(row.envelope));
      const context = contextOf(row, nameOf(row));
      return withSealed(row, (sealed) => leafSecrets(context, sealed, row.envelope, key));
    },
    async sortKeys(row) {
      const key = await keys.openingKey(envelopeKid(row.envelope));
      return openEnvelope({ ...row, institution: nameOf(row) }, row.envelope, key).facts.sort;
    },
  };
}

/** Runs one after the other: each needs several times the size of a large record. */
function createQueue(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work, work);
    last = next;
    return next;
  };
}

/**
 * A sealed version from the content store: one block, or an index block and the segments that it links to
 * (sealing/version.ts).
 *
 * @param digest sha2-256 of the root block
 * @throws MedSealError `sealed-content-damaged` when a block is missing or damaged
 */
export async function fetchSealed(store: Pick<ContentStore, 'get'>, digest: Buffer | null): Promise<string> {
  if (digest === null) throw gone();
  // Stores find a block by its digest alone, so its codec is told by its first byte: a JWE is a JSON object.
  const root = (await store.get(cidOfDigest('raw', digest))) ?? (await store.get(cidOfDigest('dag-cbor', digest)));
  if (root === undefined) throw gone();
  if (root[0] === OPENING_BRACE) return Buffer.from(root).toString('latin1');
  const segments: string[] = [];
  for (const cid of readIndexBlock(root)) {
    const segment = await store.get(cid);
    if (segment === undefined) throw gone();
    segments.push(Buffer.from(segment).toString('latin1'));
  }
  return joinSegments(segments);
}

const OPENING_BRACE = 0x7b;

function gone(): MedSealError {
  return new MedSealError(
    'sealed-content-damaged',
    'A sealed block is neither in the database nor in the content store',
  );
}
