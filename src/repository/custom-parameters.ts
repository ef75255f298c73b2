import type { SearchParameter as SearchParameterResource } from '@medplum/fhirtypes';
import { type ErrorCode, MedSealError } from '../errors.ts';
import type { SearchParameterDefinition } from '../fhir/definitions/search-parameters.ts';
import { parseJson } from '../fhir/json/parse.ts';
import { customDefinition } from '../fhir/search/custom/definition.ts';
import { type CustomParameter, type ExtendedRegistry, extendRegistry } from '../fhir/search/custom/registry.ts';
import type { SearchRegistry } from '../fhir/search/registry.ts';
import type { Logger } from '../logger.ts';
import type { Database } from '../storage/database/port.ts';
import { selectInstitutions, selectParameters, selectRevision } from './custom-parameter-rows.ts';
import type { Institution, InstitutionDirectory } from './institutions.ts';
import type { RecordOpener } from './records.ts';
import type { VersionLoader } from './version-loader.ts';

/** A custom parameter with the resource that defines it. */
export interface DefinedParameter extends CustomParameter {
  /** Of the SearchParameter. */
  readonly id: string;
  readonly idToken: string;
}

/** What one institution's records are indexed by beside R4's parameters; plain values, as they go to the scribe too. */
export interface ParameterSet {
  readonly institution: string;
  /** Counts its changes; 0 for one that never had any. */
  readonly revision: number;
  readonly parameters: readonly DefinedParameter[];
}

/** The custom parameters of every institution, in memory; every replica hears of a change. */
export interface CustomParameters {
  /** R4's where there are none, and at the union. */
  indexed(institution: string): SearchRegistry;
  searched(institution: string): SearchRegistry;
  of(institution: string): ParameterSet;
  /** Of the institutions that have any. */
  all(): readonly ParameterSet[];
  /** Reads an institution's anew. */
  refresh(institution: Pick<Institution, 'id' | 'name'>): Promise<void>;
  /** Calls back after each change that another server, or a run, has made. */
  onChange(changed: () => void): void;
  close(): Promise<void>;
}

export interface CustomParametersOptions {
  readonly database: Database;
  readonly loader: VersionLoader;
  readonly opener: RecordOpener;
  readonly institutions: InstitutionDirectory;
  /** R4's own. */
  readonly registry: SearchRegistry;
  readonly logger: Logger;
}

interface Loaded extends ExtendedRegistry {
  readonly set: ParameterSet;
}

const OUT_OF_FORCE: ReadonlySet<ErrorCode> = new Set(['sealed-content-damaged', 'invalid-search-parameter']);
const RETRY_MS = 1000;

/** The channel of the triggers in migration 0022. */
const CHANNEL = 'search_parameters';

export async function loadCustomParameters(options: CustomParametersOptions): Promise<CustomParameters> {
  const { database, loader, opener, institutions, registry, logger } = options;
  const loaded = new Map<string, Loaded>();
  const listeners: (() => void)[] = [];
  let last: Promise<void> = Promise.resolve();
  let retry: NodeJS.Timeout | undefined;
  let closed = false;

  async function parametersOf(id: number, revision: number): Promise<readonly DefinedParameter[]> {
    const rows = revision === 0 ? [] : await selectParameters(database, id);
    const versions = new Map(
      (await loader.versions(rows.map((row) => row.versionId))).map((row) => [row.versionId, row]),
    );
    const found: DefinedParameter[] = [];
    for (const { versionId, idToken, searchable } of rows) {
      const row = versions.get(versionId);
      try {
        const opened = row && (await opener.open(row));
        const definition = opened?.content && readDefinition(opened.content, registry);
        if (definition) found.push({ id: opened.id, idToken, definition, searchable });
      } catch (error) {
        // What storage cannot tell now is not out of force: the set stays as it was, and so does its revision.
        if (!(error instanceof MedSealError) || !OUT_OF_FORCE.has(error.code)) throw error;
        logger.error({ err: error, versionRow: versionId.toString() }, 'a custom search parameter is out of force');
      }
    }
    return found;
  }

  async function load({ id, name }: Pick<Institution, 'id' | 'name'>): Promise<void> {
    // First: what is read after it may be newer, which only means that some rows are indexed once more.
    const revision = await selectRevision({ query: (text, values) => database.query('writer', text, values) }, id);
    const parameters = await parametersOf(id, revision);
    if (revision === 0) return;
    loaded.set(name, {
      ...extendRegistry(registry, name, parameters),
      set: { institution: name, revision, parameters },
    });
  }

  /** One after the other, so that what was read last is what stays. */
  const refresh: CustomParameters['refresh'] = (institution) => {
    const next = last.then(() => load(institution));
    last = next.catch(() => undefined);
    return next;
  };

  async function refreshAll(): Promise<void> {
    for (const id of await selectInstitutions(database)) {
      const institution = institutions.byId(id);
      if (institution !== undefined) await refresh(institution);
    }
  }

  /** @param payload an institution's number; '' when some news may have been missed */
  async function heard(payload: string): Promise<void> {
    const one = institutions.byId(Number(payload));
    try {
      await (one === undefined ? refreshAll() : refresh(one));
    } catch (error) {
      logger.error({ err: error }, 'the custom search parameters could not be read again; it is tried again');
      clearTimeout(retry);
      if (!closed) retry = setTimeout(() => void heard(''), RETRY_MS).unref();
      return;
    }
    for (const listener of listeners) listener();
  }

  const stop = await database.listen(CHANNEL, (payload) => void heard(payload));
  await refreshAll();
  return {
    indexed: (institution) => loaded.get(institution)?.indexed ?? registry,
    searched: (institution) => loaded.get(institution)?.searched ?? registry,
    of: (institution) => loaded.get(institution)?.set ?? { institution, revision: 0, parameters: [] },
    all: () => [...loaded.values()].map(({ set }) => set).filter(({ parameters }) => parameters.length > 0),
    refresh,
    onChange: (changed) => void listeners.push(changed),
    async close() {
      closed = true;
      clearTimeout(retry);
      await stop();
    },
  };
}

function readDefinition(content: Buffer, registry: SearchRegistry): SearchParameterDefinition | undefined {
  return customDefinition(parseJson(content) as object as SearchParameterResource, registry);
}
