import type { KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { invariant, MedSealError } from '../errors.ts';
import type { SortKeys } from '../sealing/blind-index/sort-keys.ts';
import type { Identities } from '../sealing/identity.ts';
import type { KeyService } from '../sealing/key-service.ts';
import { envelopeKid, joinSegments, openEnvelope, openVersion } from '../sealing/version.ts';
import { cidOfDigest, readIndexBlock } from '../storage/content/cid.ts';
import type { ContentStore } from '../storage/content/port.ts';
import type { InstitutionDirectory } from './institutions.ts';
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
  /** The resource's exact bytes; undefined for a deletion. */
  readonly content: Buffer | undefined;
  /** Of the content's root block; undefined for a deletion. */
  readonly cid: string | undefined;
  readonly salt: KeyObject;
}

export interface RecordOpener {
  /** @throws MedSealError `sealed-content-damaged` */
  open(row: PermittedRow): Promise<OpenedRecord>;
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
  /** Bytes of opened content to keep; 0 for none. */
  readonly cacheBytes?: number;
}

/** Opened versions never change, so what is kept cannot be stale; whether it may be shown is decided before, each time. */
export function createRecordOpener(options: RecordOpenerOptions): RecordOpener {
  const { keys, identities, institutions, loader, content: store, cacheBytes = 16 * 1024 * 1024 } = options;
  const cache =
    cacheBytes === 0
      ? undefined
      : new LRUCache<bigint, OpenedContent>({
          maxSize: cacheBytes,
          sizeCalculation: (record) => (record.content?.byteLength ?? 0) + 500,
        });
  const oneByOne = createQueue();
  return {
    async open(row) {
      const known = cache?.get(row.versionId);
      if (known !== undefined) return { ...known, row };
      const institution = institutions.byId(row.institution);
      invariant(institution !== undefined, 'a record belongs to an institution that is not known');
      const key = await keys.openingKey(envelopeKid(row.envelope));
      const context = {
        institution: institution.name,
        type: row.type,
        idToken: row.idToken,
        version: row.version,
        subjects: sealingSubjects(row.patients, institution.name, identities),
      };
      const open = (sealed: string | undefined) => openVersion(context, sealed, row.envelope, key);
      const isHere = row.interaction === 'delete' || row.sealed !== null;
      const { content, cid, facts, salt } = isHere
        ? open(row.sealed ?? undefined)
        : await oneByOne(async () =>
            open((await loader.sealed(row.versionId)) ?? (await fetchSealed(store, row.digest))),
          );
      const undetermined = row.patients.includes(UNKNOWN_SUBJECT);
      if (facts.at !== row.at || facts.interaction !== row.interaction || facts.undetermined !== undetermined)
        throw new MedSealError('sealed-content-damaged', 'A version is sealed with other facts than its row has');
      const opened = { institution: institution.name, id: facts.id, author: facts.author, content, cid, salt };
      cache?.set(row.versionId, opened);
      return { ...opened, row };
    },
    async sortKeys(row) {
      const institution = institutions.byId(row.institution);
      invariant(institution !== undefined, 'a record belongs to an institution that is not known');
      const key = await keys.openingKey(envelopeKid(row.envelope));
      return openEnvelope({ ...row, institution: institution.name }, row.envelope, key).facts.sort;
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
