import { randomUUID } from 'node:crypto';
import type { Resource } from '@medplum/fhirtypes';
import { MedSealError } from '../errors.ts';
import type { Institution } from '../repository/institutions.ts';
import type { Names } from '../repository/names.ts';
import type { CurrentState } from '../repository/own-partition.ts';
import type { RecordOpener } from '../repository/records.ts';
import type { VersionLoader } from '../repository/version-loader.ts';
import type { VersionDraft } from '../repository/write.ts';
import type { Principal } from '../request-context.ts';
import { isWitnessed } from './consent-author.ts';
import { UNKNOWN_PATIENT } from './facts.ts';
import { isPersonal } from './principal.ts';
import { type ProvenanceTarget, provenanceOf } from './provenance.ts';
import type { FactsReader } from './record-facts.ts';
import type { DescribeAll } from './scribe/elsewhere.ts';
import type { Described } from './scribe/protocol.ts';
import type { SearchParameterKeeper } from './search-parameter-keeper.ts';
import { withoutVersion, withVersion } from './server-owned.ts';

/** One resource to be created, updated or deleted; validated, its references resolved. */
export type Change = CreateOrUpdate | Delete;

interface CreateOrUpdate {
  readonly interaction: 'create' | 'update';
  readonly type: string;
  readonly id: string;
  /** As sent; id and server-owned meta are set here. */
  readonly resource: Resource;
  /** The version that this one follows; undefined for a new resource. */
  readonly state: CurrentState | undefined;
}

interface Delete {
  readonly interaction: 'delete';
  readonly type: string;
  readonly id: string;
  readonly state: CurrentState;
}

/** A version to be written, and the names of its patients, which the draft holds as pseudonyms only. */
export interface Prepared {
  readonly draft: VersionDraft;
  readonly patients: readonly string[];
}

/** Makes versions of changes: described, indexed, with what is the server's own. */
export interface Drafter {
  /** In the order given, and the Provenances that tell of them. @throws MedSealError `unenforceable-consent`, `forbidden` */
  prepare(
    changes: readonly Change[],
    institution: Institution,
    principal: Principal,
    at: string,
  ): Promise<{ readonly prepared: readonly Prepared[]; readonly provenance: readonly Prepared[] }>;
  /** `{}` of what is not there. */
  currentContent(state: CurrentState): Promise<Resource>;
}

export interface DrafterOptions {
  readonly describeAll: DescribeAll;
  readonly names: Names;
  readonly loader: VersionLoader;
  readonly opener: RecordOpener;
  readonly facts: FactsReader;
  readonly searchParameters: Pick<SearchParameterKeeper, 'revision'>;
}

interface PreparedChange extends Prepared {
  readonly witnessed: boolean;
}

export function createDrafter(options: DrafterOptions): Drafter {
  const { names } = options;

  function header(change: Change, institution: Institution, at: string) {
    const { interaction, type, id, state } = change;
    const name = names.name(institution.name, type, id);
    if (!name.startsWith(`${institution.name}/`)) {
      throw new MedSealError('forbidden', 'This id names another institution', { expression: `${type}.id` });
    }
    const idToken = names.idToken(name);
    const version = (state?.version ?? 0) + 1;
    // A version is never older than the one before, whatever a clock says.
    const time = state !== undefined && state.at > at ? state.at : at;
    const indexedBy = options.searchParameters.revision(institution);
    return { institution, type, id, idToken, version, interaction, at: time, previous: state?.leafHash, indexedBy };
  }

  /** In the order given. */
  async function prepareContents(changes: readonly CreateOrUpdate[], institution: Institution, at: string) {
    const items = changes.map((change) => {
      const draft = header(change, institution, at);
      const resource = withoutVersion(change.resource, change.id);
      const { idToken, version } = draft;
      return { draft, resource, text: JSON.stringify(resource), institution: institution.name, idToken, version };
    });
    const descriptions = await options.describeAll(items);
    return items.map(({ draft, text }, index): Prepared => {
      const { patientNames, ...description } = descriptions[index] as Described;
      const content = withVersion(text, draft.version, draft.at);
      return { draft: { ...draft, ...description, content }, patients: patientNames };
    });
  }

  async function currentContent(state: CurrentState): Promise<Resource> {
    const [last] = await options.loader.versions([state.versionId]);
    const content = last === undefined ? undefined : (await options.opener.open(last)).content;
    return JSON.parse(content?.toString('utf8') ?? '{}') as Resource;
  }

  /** A deletion keeps what decides who may learn of it; its index is emptied. */
  async function prepareDeletion(change: Delete, institution: Institution, at: string): Promise<Prepared> {
    const { state } = change;
    const resource = await currentContent(state);
    const draft: VersionDraft = {
      ...header(change, institution, at),
      content: undefined,
      contentToken: undefined,
      patients: state.patients,
      facets: state.facets.map(String),
      tokens: [],
      traits: [],
      readers: state.readers.map(String),
      sortKeys: {},
      ...(change.type === 'Consent'
        ? { consent: { patient: state.patients[0], present: false, rules: [], entry: ENDED } }
        : {}),
      ...(change.type === 'SearchParameter' ? { searchParameter: { active: undefined } } : {}),
    };
    return { draft, patients: options.facts.read(resource, institution.name).patients };
  }

  /** One Provenance per patient of what was written, and one for what belongs to no patient; none about Provenance. */
  async function prepareProvenance(
    prepared: readonly PreparedChange[],
    principal: Principal,
    institution: Institution,
    at: string,
  ): Promise<readonly Prepared[]> {
    const groups = new Map<string, ProvenanceTarget[]>();
    for (const { draft, patients, witnessed } of prepared) {
      if (draft.type === 'Provenance') continue;
      for (const patient of patients.length === 0 ? [UNKNOWN_PATIENT] : patients) {
        const targets = groups.get(patient) ?? [];
        targets.push({ ...draft, witnessed });
        groups.set(patient, targets);
      }
    }
    const changes = [...groups].map(([patient, targets]): CreateOrUpdate => {
      const id = randomUUID();
      // One who cannot be determined has no id.
      const [, , patientId] = patient.split('/');
      const resource = provenanceOf(id, patientId, targets, principal, at);
      return { interaction: 'create', type: 'Provenance', id, resource, state: undefined };
    });
    return prepareContents(changes, institution, at);
  }

  /** In the order given. */
  async function prepareAll(changes: readonly Change[], institution: Institution, principal: Principal, at: string) {
    const written = changes.filter((change) => change.interaction !== 'delete');
    const contents = await prepareContents(written, institution, at);
    const prepared = new Map<Change, Prepared | undefined>(written.map((change, index) => [change, contents[index]]));
    for (const change of changes) {
      if (change.interaction === 'delete') prepared.set(change, await prepareDeletion(change, institution, at));
    }
    return changes.map((change) => ({
      ...(prepared.get(change) as Prepared),
      witnessed: change.interaction !== 'delete' && isEntered(principal, change.resource),
    }));
  }

  return {
    currentContent,
    async prepare(changes, institution, principal, at) {
      const prepared = await prepareAll(changes, institution, principal, at);
      return { prepared, provenance: await prepareProvenance(prepared, principal, institution, at) };
    },
  };
}

/** A deletion ends a consent; the keys are those of what was there. */
const ENDED = { active: false, freshKey: '', grantees: [], from: undefined, until: undefined };

/** Whether staff enter what a patient has consented to on paper. */
function isEntered(principal: Principal, resource: Resource): boolean {
  return !isPersonal(principal) && isWitnessed(resource);
}
