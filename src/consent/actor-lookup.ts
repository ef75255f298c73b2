import type { Resource } from '@medplum/fhirtypes';
import { MedSealError } from '../errors.ts';
import { parseReference } from '../fhir/references/reference.ts';
import type { ActorRecords, ActorType } from '../repository/actor-records.ts';
import type { Criterion } from '../repository/criteria.ts';
import type { InstitutionDirectory } from '../repository/institutions.ts';
import type { Names } from '../repository/names.ts';
import type { RecordOpener } from '../repository/records.ts';
import type { VersionLoader } from '../repository/version-loader.ts';
import { tokenForm } from '../sealing/blind-index/forms.ts';
import { parameterKey, referenceToken } from '../sealing/blind-index/resource-tokens.ts';
import type { Tokenizer } from '../sealing/blind-index/tokenizer.ts';

export interface ActorLookupOptions {
  readonly records: ActorRecords;
  readonly loader: VersionLoader;
  readonly opener: RecordOpener;
  readonly institutions: InstitutionDirectory;
  readonly names: Names;
  readonly tokenizer: Tokenizer;
}

/** A record that tells as whom somebody acts, out of its seal. */
export interface ActorRecord<T> {
  readonly name: string;
  readonly institution: string;
  readonly resource: T;
}

/** Finds such records by the blind index, with names as consents have them. */
export interface ActorLookup {
  /** @throws MedSealError `too-costly` for more than can be told */
  find<T extends Resource>(
    type: T['resourceType'] & ActorType,
    institution: string | undefined,
    criterion: Criterion,
  ): Promise<readonly ActorRecord<T>[]>;
  byName(name: string): Criterion;
  /** By a reference parameter to any of these. */
  refersTo(base: string, code: string, targets: readonly string[]): Criterion;
  byIdentifier(base: string, system: string, value: string): Criterion;
  nameOf(reference: string | undefined, institution: string): string | undefined;
}

const MOST = 500;

export function createActorLookup(options: ActorLookupOptions): ActorLookup {
  const { records, loader, opener, institutions, names, tokenizer } = options;
  return {
    async find<T extends Resource>(
      type: T['resourceType'] & ActorType,
      institution: string | undefined,
      criterion: Criterion,
    ) {
      const number = institution === undefined ? undefined : institutions.find(institution)?.id;
      const ids = await records.find(type, number, criterion, MOST + 1);
      // A deny that names one of those left out would not be heard.
      if (ids.length > MOST) throw new MedSealError('too-costly', `Somebody acts as more than ${MOST} others`);
      const rows = ids.length === 0 ? [] : await loader.versions(ids);
      return Promise.all(
        rows.map(async (row): Promise<ActorRecord<T>> => {
          const { content, id, institution: base } = await opener.open(row);
          const resource = JSON.parse(content?.toString('utf8') ?? '{}') as T;
          return { name: names.name(base, type, id), institution: base, resource };
        }),
      );
    },
    byName: (name) => ({ kind: 'ids', idTokens: [names.idToken(name)] }),
    refersTo: (base, code, targets) => ({
      kind: 'some',
      tokens: targets.map((one) => referenceToken(tokenizer, parameterKey({ base, code }), names.idToken(one))),
    }),
    byIdentifier: (base, system, value) => ({
      kind: 'every',
      tokens: [tokenizer.token(parameterKey({ base, code: 'identifier' }), tokenForm(system, value))],
    }),
    nameOf(reference, institution) {
      const parsed = reference === undefined ? undefined : parseReference(reference);
      return parsed === undefined ? undefined : names.nameOf(parsed, institution);
    },
  };
}
