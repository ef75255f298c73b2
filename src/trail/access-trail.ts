import { hash, randomUUID } from 'node:crypto';
import type { Identities } from '../sealing/identity.ts';
import { openFlattened, parseFlattened, sealFlattened } from '../sealing/jwe.ts';
import type { Database } from '../storage/database/port.ts';
import { type AccessRow, insertAccessEntries } from '../storage/trail/access.ts';
import type { AccessSegments } from './access-segments.ts';
import { hashOfLeaf } from './leaf.ts';

/** What the trail keeps of one request at one institution; sealed, and read back as an AuditEvent. */
export interface AccessDetails {
  readonly client: string;
  /** `{institution}/{Type}/{id}` of the human user, where there is one. */
  readonly user?: string;
  /** Institution of the client. */
  readonly from: string;
  readonly purposes: readonly string[];
  /** FHIR's restful-interaction code, or the operation's name. */
  readonly interaction: string;
  /** `Type` or `Type/id` as asked for. */
  readonly target: string;
  /** Search parameters as sent. */
  readonly query?: string;
  /** What the requester said about it. */
  readonly remark?: string;
  readonly status: number;
  readonly requestId: string;
  /** Versions shown or written: `{institution}/{Type}/{id}/_history/{version}` and leaf hash, base64url. */
  readonly versions: readonly (readonly [name: string, leaf: string])[];
  /** `{institution}/Patient/{id}` of the patients concerned. */
  readonly patients: readonly string[];
  /** Of an entry that says so: the entries of all leaves below `leaves`, from before an instant, were dropped. */
  readonly dropped?: { readonly leaves: number; readonly before: string };
}

export interface AccessEvent {
  readonly institution: { readonly id: number; readonly name: string };
  /** RFC 3339 in UTC, milliseconds. */
  readonly at: string;
  /** Pseudonyms of the patients concerned. */
  readonly patients: readonly string[];
  readonly details: AccessDetails;
}

export interface AccessTrail {
  /** Durable when it resolves. Entries of requests that run at the same time share a commit. */
  record(events: readonly AccessEvent[]): Promise<void>;
  /** An entry as it is stored, for whoever inserts it in a transaction of their own. */
  seal(event: AccessEvent): Promise<AccessRow>;
  /** Opens one entry again. @throws MedSealError `sealed-content-damaged` */
  open(entry: StoredAccess): Promise<AccessDetails>;
}

export interface StoredAccess {
  readonly institution: { readonly id: number; readonly name: string };
  readonly idToken: string;
  readonly at: string;
  readonly sealed: string;
}

const MAX_BATCH = 1000;

interface Waiting {
  readonly rows: readonly AccessRow[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface AccessTrailOptions {
  readonly database: Database;
  readonly segments: AccessSegments;
  readonly identities: Identities;
  readonly random: (length: number) => Buffer;
  readonly onCommit?: () => void;
}

export function createAccessTrail(options: AccessTrailOptions): AccessTrail {
  const { database, segments, identities, random } = options;
  let waiting: Waiting[] = [];
  let flushing = false;

  const subjectOf = (institution: { readonly id: number; readonly name: string }) => ({
    id: institution.id,
    subject: identities.institutionSubject(institution.name),
  });

  async function seal(event: AccessEvent): Promise<AccessRow> {
    const { key, header } = await segments.key(subjectOf(event.institution), event.at);
    const idToken = randomUUID();
    const aad = contextOf(event.institution.name, idToken, event.at);
    const sealed = sealFlattened(key, random(12), header, aad, Buffer.from(JSON.stringify(event.details)));
    const entry = hash('sha256', sealed, 'base64url');
    const leaf = hashOfLeaf({ kind: 'access', entry, time: event.at });
    return {
      institution: event.institution.id,
      idToken,
      at: event.at,
      patients: event.patients,
      sealed,
      leafHash: leaf,
    };
  }

  async function flush(): Promise<void> {
    flushing = true;
    while (waiting.length > 0) {
      // Whatever else became ready in this turn of the event loop comes along.
      await new Promise(setImmediate);
      const batch = waiting.slice(0, MAX_BATCH);
      waiting = waiting.slice(MAX_BATCH);
      try {
        await insertAccessEntries(
          { query: (text, values) => database.query('writer', text, values) },
          batch.flatMap((one) => one.rows),
        );
        for (const one of batch) one.resolve();
        options.onCommit?.();
      } catch (error) {
        for (const one of batch) one.reject(error);
      }
    }
    flushing = false;
  }

  return {
    seal,
    async record(events) {
      const rows = await Promise.all(events.map(seal));
      return new Promise((resolve, reject) => {
        waiting.push({ rows, resolve, reject });
        if (!flushing) void flush();
      });
    },
    async open(entry) {
      const key = await segments.openingKey(entry.institution.id, entry.at);
      const aad = contextOf(entry.institution.name, entry.idToken, entry.at);
      const opened = openFlattened(key, parseFlattened(entry.sealed), aad);
      return JSON.parse(opened.toString('utf8')) as AccessDetails;
    },
  };
}

/** Canonical JSON (RFC 8785): members in order, texts of closed alphabets, for which JSON.stringify writes the same. */
function contextOf(institution: string, idToken: string, at: string): string {
  const context = JSON.stringify({ at, format: 'medseal/access/1', id: idToken, institution });
  return Buffer.from(context).toString('base64url');
}
