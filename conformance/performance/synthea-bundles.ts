import { hash } from 'node:crypto';
import type { Bundle, BundleEntry } from '@medplum/fhirtypes';
import { sharedBundles } from '../support/sample-data.ts';
import type { Push } from './population.ts';

/** Ten synthetic patients as transactions of about 100 entries, and what they refer to, which goes in before. */
export interface SyntheaBundles {
  /** Hospitals and practitioners, as they are. */
  readonly directory: readonly Buffer[];
  /** Never the same one twice: once through, all of them again as other patients. */
  readonly pushes: () => Generator<Push>;
}

const ENTRIES = 100;

/** @param from the directory of shared/data/bundles */
export function syntheaBundles(from: string): SyntheaBundles {
  const directory: Buffer[] = [];
  const pieces: Piece[] = [];
  for (const { name, bytes } of sharedBundles(from)) {
    if (name.startsWith('blaze-0-')) directory.push(Buffer.from(bytes));
    else pieces.push(...cutBundle(JSON.parse(Buffer.from(bytes).toString('utf8')) as Bundle, ENTRIES));
  }
  return {
    directory,
    *pushes() {
      for (let copy = 0; ; copy++) {
        for (const { text, ids, entries } of pieces) {
          yield { body: Buffer.from(otherPatient(text, ids, copy)), entries };
        }
      }
    },
  };
}

export interface Piece {
  readonly text: string;
  /** UUIDs that name this patient's records: those of every piece of the Bundle that it was cut from. */
  readonly ids: ReadonlySet<string>;
  readonly entries: number;
}

/**
 * A patient's transaction in pieces of about `size` entries that can go in by themselves, in any order: the Patient is
 * put under its UUID, and what lies in another piece is referred to by a literal reference.
 */
export function cutBundle(bundle: Bundle, size: number): readonly Piece[] {
  const entries = bundle.entry ?? [];
  const types = new Map(entries.map(({ fullUrl, resource }) => [fullUrl ?? '', resource?.resourceType ?? '']));
  const ids = new Set([...types.keys()].map(uuidOf));
  const count = Math.max(1, Math.round(entries.length / size));
  const perPiece = Math.ceil(entries.length / count);
  return Array.from({ length: count }, (_, number) => {
    const own = entries.slice(number * perPiece, (number + 1) * perPiece);
    const here = new Set(own.map(({ fullUrl }) => fullUrl));
    const entry = own.map(putPatient);
    const text = JSON.stringify({ ...bundle, entry }).replace(REFERENCE, (whole, target: string) =>
      here.has(target) || !types.has(target) ? whole : `"reference":"${types.get(target)}/${uuidOf(target)}"`,
    );
    return { text, ids, entries: own.length };
  });
}

/** The same records under other UUIDs: a pure function of the copy's number. */
export function otherPatient(text: string, ids: ReadonlySet<string>, copy: number): string {
  return text.replace(UUID, (uuid) => (ids.has(uuid) ? uuidFrom(hash('sha256', `${copy} ${uuid}`)) : uuid));
}

const REFERENCE = /"reference":"(urn:uuid:[^"]+)"/g;
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

function putPatient(entry: BundleEntry): BundleEntry {
  if (entry.resource?.resourceType !== 'Patient') return entry;
  const id = uuidOf(entry.fullUrl ?? '');
  return { ...entry, resource: { ...entry.resource, id }, request: { method: 'PUT', url: `Patient/${id}` } };
}

function uuidOf(fullUrl: string): string {
  return fullUrl.replace('urn:uuid:', '');
}

function uuidFrom(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
}
