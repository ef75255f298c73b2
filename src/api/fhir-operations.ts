import { notFound } from '../consent/guarded-reader.ts';
import { applyJsonPatch, parseJsonPatch } from '../fhir/json/patch.ts';
import { readAuditEvent } from '../interactions/audit-event/search.ts';
import { breakGlass } from '../interactions/break-glass.ts';
import { bundle } from '../interactions/bundle.ts';
import { certificate, evidence } from '../interactions/evidence.ts';
import { explainAccess } from '../interactions/explain-access.ts';
import { history, parseHistory } from '../interactions/history.ts';
import { queryPairs, type SearchPairs } from '../interactions/query-text.ts';
import { read, readVersion } from '../interactions/read.ts';
import { search } from '../interactions/search/search.ts';
import type { SearchTarget } from '../interactions/search/target.ts';
import { type SingleWrite, writeOne } from '../interactions/write/single.ts';
import type { FhirInput } from './fhir-input.ts';
import type { FhirOperation } from './fhir-operation.ts';
import { knownType, refuseOperation } from './known-type.ts';
import { TABLE_OPERATIONS } from './table-operations.ts';

/** http://hl7.org/fhir/R4/search.html: the parameters of URL and body together. */
function searchOf(
  interaction: string,
  body: 'form' | undefined,
  target: (input: FhirInput) => SearchTarget,
): FhirOperation {
  return {
    interaction,
    ...(body === undefined ? {} : { body }),
    run: (services, context, input) =>
      search(services, context, {
        ...target(input),
        pairs: body === undefined ? input.pairs : [...input.pairs, ...input.form()],
        handling: input.preferences.handling,
        posted: body !== undefined,
      }),
  };
}

const ofType = ({ type }: FhirInput): SearchTarget => ({ type });
const ofAnyType = (): SearchTarget => ({ type: undefined });
/** http://hl7.org/fhir/R4/search.html#searchcontexts: `*` stands for any type of the compartment. */
const ofCompartment = ({ type, id, member }: FhirInput): SearchTarget => ({
  type: member === '*' ? undefined : member,
  compartment: { type, id },
});

function historyOf(interaction: string, scope: (input: FhirInput) => { type?: string; id?: string }): FhirOperation {
  return {
    interaction,
    run: (services, context, input) => {
      const { type, id } = scope(input);
      return history(services, context, {
        type: type === undefined ? undefined : knownType(type),
        id,
        ...parseHistory(input.pairs, input.preferences.handling),
      });
    },
  };
}

/** http://hl7.org/fhir/R4/http.html#patch, by JSON Patch. */
function patchBy(address: (input: FhirInput) => Pick<SingleWrite, 'id' | 'conditional'>): FhirOperation {
  return {
    interaction: 'patch',
    body: 'patch',
    run: (services, context, input) => {
      const operations = parseJsonPatch(input.json());
      return writeOne(services, context, {
        method: 'PATCH',
        type: input.type,
        ...address(input),
        patch: (content) => applyJsonPatch(content, operations),
        ifMatch: input.ifMatch(),
        prefer: input.preferences.return ?? 'representation',
        idempotent: input.idempotent(),
      });
    },
  };
}

/** The search parameters of a conditional interaction. */
function conditionOf({ pairs }: FhirInput): SearchPairs {
  return pairs.filter(([name]) => name !== '_format' && name !== '_pretty');
}

/** By operationId. */
export const FHIR_OPERATIONS: Readonly<Record<string, FhirOperation>> = {
  ...TABLE_OPERATIONS,
  search: searchOf('search-type', undefined, ofType),
  unionSearch: searchOf('search-type', undefined, ofType),
  searchByPost: searchOf('search-type', 'form', ofType),
  unionSearchByPost: searchOf('search-type', 'form', ofType),
  systemSearch: searchOf('search-system', undefined, ofAnyType),
  unionSystemSearch: searchOf('search-system', undefined, ofAnyType),
  systemSearchByPost: searchOf('search-system', 'form', ofAnyType),
  unionSystemSearchByPost: searchOf('search-system', 'form', ofAnyType),
  compartmentSearch: searchOf('search-type', undefined, ofCompartment),
  compartmentSearchByPost: searchOf('search-type', 'form', ofCompartment),
  unionRead: { interaction: 'read', run: () => Promise.reject(notFound()) },
  read: {
    interaction: 'read',
    async run(services, context, input) {
      const { type, id } = input;
      if (type === 'AuditEvent') {
        const entry = await readAuditEvent(services, context, id);
        if (entry !== undefined) return entry;
      }
      if (id.startsWith('$')) refuseOperation();
      return read(services, context, knownType(type), id, input.readConditions());
    },
  },
  vread: {
    interaction: 'vread',
    run: (services, context, input) =>
      readVersion(services, context, knownType(input.type), input.id, input.vid, input.readConditions()),
  },
  certificate: {
    interaction: 'certificate',
    run: (services, context, { type, id, vid }) => certificate(services, context, knownType(type), id, vid),
  },
  evidence: {
    interaction: 'evidence',
    run: (services, context, { type, id, vid }) => evidence(services, context, knownType(type), id, vid),
  },
  breakGlass: {
    interaction: 'break-glass',
    body: 'json',
    run: (services, context, input) => breakGlass(services, context, input.type, input.id, input.json()),
  },
  explainAccess: {
    interaction: 'explain-access',
    run: (services, context, { type, id, pairs }) => explainAccess(services, context, knownType(type), id, pairs),
  },
  instanceHistory: historyOf('history-instance', ({ type, id }) => ({ type, id })),
  typeHistory: historyOf('history-type', ({ type }) => ({ type })),
  systemHistory: historyOf('history-system', () => ({})),
  create: {
    interaction: 'create',
    body: 'json',
    run: (services, context, input) => {
      const ifNoneExist = input.header('if-none-exist');
      return writeOne(services, context, {
        method: 'POST',
        type: input.type,
        ifNoneExist: ifNoneExist === undefined ? undefined : queryPairs(ifNoneExist.replace(/^.*\?/, '')),
        resource: input.json(),
        prefer: input.preferences.return ?? 'representation',
        idempotent: input.idempotent(),
      });
    },
  },
  update: {
    interaction: 'update',
    body: 'json',
    run: (services, context, input) =>
      writeOne(services, context, {
        method: 'PUT',
        type: input.type,
        id: input.id,
        ifMatch: input.ifMatch(),
        onlyCreate: input.header('if-none-match') === '*',
        resource: input.json(),
        prefer: input.preferences.return ?? 'representation',
        idempotent: input.idempotent(),
      }),
  },
  conditionalUpdate: {
    interaction: 'update',
    body: 'json',
    run: (services, context, input) =>
      writeOne(services, context, {
        method: 'PUT',
        type: input.type,
        conditional: conditionOf(input),
        ifMatch: input.ifMatch(),
        onlyCreate: input.header('if-none-match') === '*',
        resource: input.json(),
        prefer: input.preferences.return ?? 'representation',
        idempotent: input.idempotent(),
      }),
  },
  delete: {
    interaction: 'delete',
    run: (services, context, input) =>
      writeOne(services, context, {
        method: 'DELETE',
        type: input.type,
        id: input.id,
        ifMatch: input.ifMatch(),
        prefer: input.preferences.return ?? 'minimal',
        idempotent: input.idempotent(),
      }),
  },
  conditionalDelete: {
    interaction: 'delete',
    run: (services, context, input) =>
      writeOne(services, context, {
        method: 'DELETE',
        type: input.type,
        conditional: conditionOf(input),
        ifMatch: input.ifMatch(),
        prefer: input.preferences.return ?? 'minimal',
        idempotent: input.idempotent(),
      }),
  },
  patch: patchBy(({ id }) => ({ id })),
  conditionalPatch: patchBy((input) => ({ conditional: conditionOf(input) })),
  bundle: {
    interaction: 'transaction',
    body: 'json',
    run: (services, context, input) =>
      bundle(services, context, {
        bundle: input.json(),
        prefer: input.preferences.return ?? 'minimal',
        handling: input.preferences.handling,
        idempotent: input.idempotent(),
      }),
  },
};
