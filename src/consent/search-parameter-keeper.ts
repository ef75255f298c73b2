import type { SearchParameter } from '@medplum/fhirtypes';
import { MedSealError } from '../errors.ts';
import type { SearchParameterDefinition } from '../fhir/definitions/search-parameters.ts';
import { customDefinition, problem } from '../fhir/search/custom/definition.ts';
import type { SearchRegistry } from '../fhir/search/registry.ts';
import type { Logger } from '../logger.ts';
import { selectRevision } from '../repository/custom-parameter-rows.ts';
import type { CustomParameters } from '../repository/custom-parameters.ts';
import type { Institution } from '../repository/institutions.ts';
import type { Guard } from '../repository/write.ts';
import type { Tokenizer } from '../sealing/blind-index/tokenizer.ts';
import type { Change } from './drafts.ts';

/** Admits the SearchParameters of a write: what is put in force must fit beside what already is. */
export interface SearchParameterKeeper {
  /**
   * Of the set that records are indexed by. To be asked before anything is indexed: what is then indexed by a newer set does
   * no harm.
   */
  revision(institution: Institution): number;
  /**
   * @returns what must still hold when it is written
   * @throws MedSealError `invalid-search-parameter`
   */
  require(institution: Institution, changes: readonly Change[]): Promise<readonly Guard[]>;
  /** What was written counts here from now on. */
  written(institution: Institution, changes: readonly Change[]): Promise<void>;
}

/** Each makes every write of its types a little longer, and every server's memory a little fuller. */
const MAX_PARAMETERS = 100;

const TYPE = 'SearchParameter';

export interface SearchParameterKeeperOptions {
  readonly custom: CustomParameters;
  /** R4's own. */
  readonly registry: SearchRegistry;
  readonly tokenizer: Tokenizer;
  readonly logger: Logger;
}

export function createSearchParameterKeeper(options: SearchParameterKeeperOptions): SearchParameterKeeper {
  const { custom, registry, tokenizer, logger } = options;
  return {
    revision: ({ name }) => custom.of(name).revision,
    async require(institution, changes) {
      const own = changes.filter(({ type }) => type === TYPE);
      const added = own.flatMap((change) => {
        if (change.interaction === 'delete') return [];
        return customDefinition(change.resource as SearchParameter, registry) ?? [];
      });
      if (added.length === 0) return [];
      await custom.refresh(institution);
      const { revision, parameters } = custom.of(institution.name);
      const rewritten = new Set(own.map(({ id }) => id));
      const inForce = parameters.filter(({ id }) => !rewritten.has(id)).map(({ definition }) => definition);
      for (const definition of added) {
        requireFree(definition, inForce);
        inForce.push(definition);
      }
      return [
        {
          lock: tokenizer.token('search-parameters', institution.name),
          holds: async (sql) => (await selectRevision(sql, institution.id)) === revision,
        },
      ];
    },
    async written(institution, changes) {
      if (!changes.some(({ type }) => type === TYPE)) return;
      try {
        await custom.refresh(institution);
      } catch (error) {
        // It is written; the database tells this server too.
        logger.warn({ err: error }, 'the custom search parameters could not be read again at once');
      }
    },
  };
}

function requireFree(definition: SearchParameterDefinition, others: readonly SearchParameterDefinition[]): void {
  const { code, base } = definition;
  const taken = others.find((other) => other.code === code && other.base.some((type) => base.includes(type)));
  if (taken !== undefined) throw refused('code', 'Another SearchParameter of this base has this code and type already');
  if (others.length >= MAX_PARAMETERS) throw refused('status', `At most ${MAX_PARAMETERS} can be active at one base`);
}

function refused(element: string, message: string): MedSealError {
  return new MedSealError('invalid-search-parameter', message, { issues: [problem(element, message)] });
}
