import type { KeyObject } from 'node:crypto';
import type { Resource } from '@medplum/fhirtypes';
import type { Describer } from '../../consent/describe.ts';
import { withoutVersion } from '../../consent/server-owned.ts';
import { MedSealError } from '../../errors.ts';
import { parseJson } from '../../fhir/json/parse.ts';
import type { Institution } from '../../repository/institutions.ts';
import type { Names } from '../../repository/names.ts';
import { fetchSealed } from '../../repository/records.ts';
import { UNKNOWN_SUBJECT, type VersionDraft } from '../../repository/write.ts';
import type { VersionRow } from '../../repository/write-statements.ts';
import type { Identities } from '../../sealing/identity.ts';
import type { KeyService } from '../../sealing/key-service.ts';
import { envelopeKid, leafSecrets, openVersion, readEnvelope } from '../../sealing/version.ts';
import { parseCid } from '../../storage/content/cid.ts';
import type { ContentStore } from '../../storage/content/port.ts';
import { hashOfLeaf, versionLeaf } from '../../trail/leaf.ts';
import type { ManifestEntry } from '../../trail/manifest.ts';

/** What a version takes over from the one before it. */
export interface Predecessor {
  readonly version: number;
  readonly leafHash: Buffer;
  readonly facets: readonly string[];
  readonly readers: readonly string[];
}

/** What is known of the log up to an entry. */
export interface LogSoFar {
  readonly institution: Institution;
  /** The newest version of a resource, by id token. */
  newest(idToken: string): Promise<Predecessor | undefined>;
  /** Hashes of the leaves that could not be opened: a version before may be among them. */
  unopened(): Promise<readonly Buffer[]>;
}

export interface EntryOpener {
  /**
   * The row of the version that a manifest's entry stands for; undefined when a key that it is sealed under no longer
   * exists.
   *
   * @throws MedSealError `sealed-content-damaged` when the entry is not what its leaf commits to
   */
  open(entry: ManifestEntry, log: LogSoFar): Promise<VersionRow | undefined>;
}

export interface EntryOpenerOptions {
  readonly keys: KeyService;
  readonly content: Pick<ContentStore, 'get'>;
  readonly identities: Identities;
  readonly names: Names;
  readonly describer: Describer;
}

export function createEntryOpener(options: EntryOpenerOptions): EntryOpener {
  const { keys, content, identities, names, describer } = options;

  async function keyOf(kid: string): Promise<KeyObject | undefined> {
    try {
      return await keys.openingKey(kid);
    } catch (error) {
      const gone =
        error instanceof MedSealError && error.code === 'sealed-content-damaged' && !(await keys.exists(kid));
      if (gone) return undefined;
      throw error;
    }
  }

  /** The patients as the version is sealed for them, whatever would be found in the content today. */
  function patientsOf(subjects: readonly string[], institution: string, undetermined: boolean): readonly string[] {
    const own = subjects.filter((subject) => subject !== identities.institutionSubject(institution));
    return undetermined ? [UNKNOWN_SUBJECT, ...own] : own;
  }

  function describe(version: Unindexed, last: Predecessor | undefined): Indexed {
    const { type, id, idToken, institution, interaction, patients } = version;
    if (interaction === 'delete') {
      const { facets, readers } = last ?? { facets: [], readers: [] };
      const kept = { facets, readers, tokens: [], traits: [], contentToken: undefined };
      if (type === 'SearchParameter') return { ...kept, searchParameter: { active: undefined } };
      return type === 'Consent' ? { ...kept, consent: { patient: patients[0], present: false, rules: [] } } : kept;
    }
    if (version.content === undefined) throw damaged('A version of a log has no content');
    const resource = parseJson(Buffer.from(version.content)) as unknown as Resource;
    const { facets, tokens, traits, readers, consent, merges, searchParameter } = describer.describe(
      resource,
      institution.name,
      version.version,
    );
    const contentToken = describer.contentToken(idToken, JSON.stringify(withoutVersion(resource, id)));
    return {
      ...{ facets, tokens, traits, readers, contentToken },
      ...(consent === undefined ? {} : { consent }),
      ...(merges === undefined ? {} : { merges }),
      ...(searchParameter === undefined ? {} : { searchParameter }),
    };
  }

  return {
    async open(entry, log) {
      const { institution } = log;
      const { envelope } = entry;
      if (envelope === undefined) throw damaged('An entry of a log of records has no envelope');
      const kid = envelopeKid(envelope);
      const key = await keyOf(kid);
      if (key === undefined) return undefined;

      const { context, facts } = readEnvelope(envelope, key);
      const { type, idToken, version } = context;
      const { id, author, at, interaction } = facts;
      const named = names.idToken(names.name(institution.name, type, id));
      if (context.institution !== institution.name || named !== idToken) {
        throw damaged('An envelope does not belong to the log that it was found in');
      }
      const digest = entry.content === undefined ? undefined : parseCid(entry.content)?.digest;
      const sealed = digest === undefined ? undefined : await fetchSealed(content, digest);
      const subjects = kid.split(',').map((name) => name.slice(0, name.indexOf('.')));
      const opened = openVersion({ ...context, subjects }, sealed, envelope, key);
      const { cid, salt } = leafSecrets({ ...context, subjects }, sealed, envelope, key);

      const last = version === 1 ? undefined : await log.newest(idToken);
      const about = { institution: institution.name, type, id, version, interaction, at, author };
      const isLogged = (previous: Buffer | undefined): boolean => {
        const leaf = versionLeaf({ ...about, content: opened.content, cid, previous }, salt);
        return hashOfLeaf(leaf).equals(entry.leaf);
      };
      const possible = last === undefined && version > 1 ? await log.unopened() : [last?.leafHash];
      const found = possible.findIndex(isLogged);
      if (found < 0 || (last !== undefined && last.version !== version - 1)) {
        throw damaged('A version is not the one that was logged');
      }
      const patients = patientsOf(subjects, institution.name, facts.undetermined);
      const header = {
        institution,
        type,
        id,
        idToken,
        version,
        interaction,
        at,
        content: opened.content?.toString('utf8'),
        patients,
      };
      const draft = { ...header, ...describe(header, last), sortKeys: facts.sort, previous: possible[found] };
      return { draft, sealed, digest, envelope, leafHash: Buffer.from(entry.leaf) };
    },
  };
}

type Indexed = Pick<
  VersionDraft,
  'facets' | 'tokens' | 'traits' | 'readers' | 'contentToken' | 'consent' | 'merges' | 'searchParameter'
>;
type Unindexed = Omit<VersionDraft, keyof Indexed | 'sortKeys' | 'previous'>;

function damaged(message: string): MedSealError {
  return new MedSealError('sealed-content-damaged', message);
}
