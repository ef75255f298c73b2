import { createHmac, type KeyObject } from 'node:crypto';
import type { Consent, Resource, SearchParameter } from '@medplum/fhirtypes';
import { MedSealError } from '../errors.ts';
import { utcText } from '../fhir/fhirpath/temporal.ts';
import { customDefinition, definitionText } from '../fhir/search/custom/definition.ts';
import type { SearchRegistry } from '../fhir/search/registry.ts';
import type { SearchParameterChange } from '../repository/custom-parameter-rows.ts';
import type { Names } from '../repository/names.ts';
import { type ConsentChange, UNKNOWN_SUBJECT, type VersionDraft } from '../repository/write.ts';
import type { ConsentRow } from '../repository/write-statements.ts';
import {
  createResourceIndexer,
  type IndexedParameter,
  type ResourceTokens,
} from '../sealing/blind-index/resource-tokens.ts';
import { sortKeysOf } from '../sealing/blind-index/sort-keys.ts';
import type { SourcesOf } from '../sealing/blind-index/sources.ts';
import type { Token, Tokenizer } from '../sealing/blind-index/tokenizer.ts';
import { selfToken } from '../sealing/identity.ts';
import { consentNames } from './consent-store.ts';
import { DIRECTORY_TYPES } from './directory.ts';
import { recordFacets } from './facets.ts';
import { UNKNOWN_PATIENT } from './facts.ts';
import { scopeTokens } from './granular-scopes.ts';
import { ledgerEntryOf } from './ledger-entry.ts';
import { mergeLinks } from './merges.ts';
import { parseConsent } from './parse-consent.ts';
import { END_OF_YEARS } from './periods.ts';
import { custodianReader, directoryReader, facetToken, permitReaders } from './principal.ts';
import type { FactsReader } from './record-facts.ts';
import { type ConsentRule, consentRules } from './rules.ts';

/** Everything about a resource that is stored beside its seal, as opaque tokens. */
export interface Description
  extends Pick<
    VersionDraft,
    'patients' | 'facets' | 'tokens' | 'traits' | 'readers' | 'sortKeys' | 'consent' | 'merges' | 'searchParameter'
  > {
  /** `{institution}/Patient/{id}`, or UNKNOWN_PATIENT; not to be stored. */
  readonly patientNames: readonly string[];
}

export interface Describer {
  /** @throws MedSealError `unenforceable-consent` */
  describe(resource: Resource, institution: string, version: number): Description;
  /** What search finds it by, alone. */
  index(resource: Resource, institution: string): ResourceTokens;
  /** 128 bits that are equal for equal texts of the same resource, in UUID form. */
  contentToken(idToken: string, text: string): string;
}

export interface DescriberOptions {
  /** R4's own. */
  readonly registry: SearchRegistry;
  /** What an institution's records are indexed by. */
  readonly registryOf: (institution: string) => SearchRegistry;
  readonly names: Names;
  readonly facts: FactsReader;
  readonly tokenizer: Tokenizer;
  readonly sourcesOf: SourcesOf;
  readonly contentKey: KeyObject;
}

export function createDescriber(options: DescriberOptions): Describer {
  const { registry, registryOf, names, facts, tokenizer } = options;
  const indexResource = createResourceIndexer(tokenizer, options.sourcesOf);

  /** Ids and times of change are columns, not tokens. */
  function find(resource: Resource, institution: string): readonly IndexedParameter[] {
    return registryOf(institution)
      .searchValuesOf(resource)
      .filter(({ parameter: { code } }) => code !== '_id' && code !== '_lastUpdated');
  }

  function tokensOf(resource: Resource, institution: string, found: readonly IndexedParameter[]): ResourceTokens {
    return indexResource(resource.resourceType, found, (target) => names.locate(target, institution));
  }

  function consentChange(consent: Consent, institution: string, version: number): ConsentChange {
    const policy = parseConsent(consent, consentNames(names, institution, consent.id ?? '', version));
    return {
      patient: policy.patient === undefined ? undefined : names.idToken(policy.patient),
      present: true,
      rules: consentRules(policy).map((rule) => ruleRow(rule, tokenizer)),
      entry: ledgerEntryOf(policy, options.contentKey),
    };
  }

  return {
    describe(resource, institution, version) {
      const record = facts.read(resource, institution);
      const found = find(resource, institution);
      const patients = record.patients
        .map((name) => (name === UNKNOWN_PATIENT ? UNKNOWN_SUBJECT : names.idToken(name)))
        .sort();
      return {
        patientNames: record.patients,
        patients,
        facets: [
          ...new Set([
            ...recordFacets(record).map((facet) => facetToken(tokenizer, facet)),
            ...scopeTokens(record, tokenizer),
          ]),
        ],
        ...tokensOf(resource, institution, found),
        readers: recordReaders(resource.resourceType, patients, institution, tokenizer),
        // An envelope is written once; by a custom parameter it is sorted by what is opened.
        sortKeys: sortKeysOf(found.filter(({ parameter }) => parameter.institution === undefined)),
        ...(resource.resourceType === 'Patient'
          ? { merges: mergeLinks(resource, institution, names).map(names.idToken) }
          : {}),
        ...(resource.resourceType === 'Consent' ? { consent: consentChange(resource, institution, version) } : {}),
        ...(resource.resourceType === 'SearchParameter'
          ? { searchParameter: searchParameterChange(resource, registry, tokenizer) }
          : {}),
      };
    },
    index: (resource, institution) => tokensOf(resource, institution, find(resource, institution)),
    contentToken(idToken, text) {
      const hex = createHmac('sha256', options.contentKey).update(`${idToken}\0`).update(text).digest('hex');
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
    },
  };
}

/** One that cannot be put in force, as another server may have accepted it, is kept without effect. */
function searchParameterChange(
  resource: SearchParameter,
  registry: SearchRegistry,
  tokenizer: Tokenizer,
): SearchParameterChange {
  try {
    const definition = customDefinition(resource, registry);
    if (definition === undefined) return { active: undefined };
    const digest = tokenizer.token('search-parameter', definitionText(definition));
    return { active: { types: definition.base, definition: digest } };
  } catch (error) {
    if (error instanceof MedSealError && error.code === 'invalid-search-parameter') return { active: undefined };
    throw error;
  }
}

/** Who may read it without any consent: its custodian, its patients, everyone where it is of the directory. */
function recordReaders(
  type: string,
  patients: readonly string[],
  institution: string,
  tokenizer: Tokenizer,
): readonly Token[] {
  return [
    custodianReader(tokenizer, institution),
    ...(patients.length === 0 && DIRECTORY_TYPES.has(type) ? [directoryReader(tokenizer)] : []),
    ...patients.filter((patient) => patient !== UNKNOWN_SUBJECT).map((patient) => selfToken(patient).toString()),
  ];
}

function ruleRow(rule: ConsentRule, tokenizer: Tokenizer): ConsentRow {
  return {
    provision: rule.provision,
    depth: rule.depth,
    permit: rule.permit,
    rank: rule.rank,
    from: timestamp(rule.period.from),
    until: timestamp(rule.period.until),
    namesEmergency: rule.namesEmergency,
    conditions: rule.conditions.map((condition) => condition.map((facet) => facetToken(tokenizer, facet))),
    readers: permitReaders(tokenizer, rule.readers.actors, rule.readers.purposes),
  };
}

function timestamp(instant: number): string {
  if (instant === Number.NEGATIVE_INFINITY) return '-infinity';
  return instant >= END_OF_YEARS ? 'infinity' : utcText(instant);
}
