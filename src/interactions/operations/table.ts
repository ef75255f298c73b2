import type { RequestContext } from '../../request-context.ts';
import type { InteractionResult } from '../result.ts';
import type { Services } from '../services.ts';
import { everything } from './everything.ts';
import { lastN } from './last-n.ts';
import { addMeta, collectedMeta, deleteMeta, instanceMeta } from './meta.ts';
import type { OperationRequest } from './parameters.ts';
import { reindex, reindexStatus } from './reindex.ts';
import { expandValueSet, validateInCodeSystem, validateInValueSet } from './terminology.ts';
import { validate } from './validate.ts';

type Run = (services: Services, context: RequestContext, request: OperationRequest) => Promise<InteractionResult>;

/** An operation as the routes run it and the CapabilityStatement tells of it (http://hl7.org/fhir/R4/operations.html). */
export interface Operation {
  /** Without its `$`. */
  readonly name: string;
  readonly definition: string;
  /** Of which types there is one. */
  readonly types: readonly string[] | '*';
  /** Whether it changes nothing, so that GET calls it too, and whether it must have a body. */
  readonly methods: readonly ('get' | 'post')[];
  readonly system?: Run;
  readonly type?: Run;
  readonly instance?: Run;
}

const R4 = 'http://hl7.org/fhir/OperationDefinition/';
const OWN = 'https://medseal.org/fhir/OperationDefinition/';
const QUERY = ['get', 'post'] as const;
const COMMAND = ['post'] as const;

export const OPERATIONS: readonly Operation[] = [
  {
    name: 'validate',
    definition: `${R4}Resource-validate`,
    types: '*',
    methods: COMMAND,
    type: validate,
    instance: validate,
  },
  {
    name: 'meta',
    definition: `${R4}Resource-meta`,
    types: '*',
    methods: QUERY,
    system: collectedMeta,
    type: collectedMeta,
    instance: instanceMeta,
  },
  { name: 'meta-add', definition: `${R4}Resource-meta-add`, types: '*', methods: COMMAND, instance: addMeta },
  { name: 'meta-delete', definition: `${R4}Resource-meta-delete`, types: '*', methods: COMMAND, instance: deleteMeta },
  {
    name: 'everything',
    definition: `${R4}Patient-everything`,
    types: ['Patient'],
    methods: QUERY,
    instance: everything,
  },
  { name: 'lastn', definition: `${R4}Observation-lastn`, types: ['Observation'], methods: QUERY, type: lastN },
  {
    name: 'expand',
    definition: `${R4}ValueSet-expand`,
    types: ['ValueSet'],
    methods: QUERY,
    type: expandValueSet,
    instance: expandValueSet,
  },
  {
    name: 'validate-code',
    definition: `${R4}ValueSet-validate-code`,
    types: ['ValueSet'],
    methods: QUERY,
    type: validateInValueSet,
    instance: validateInValueSet,
  },
  {
    name: 'validate-code',
    definition: `${R4}CodeSystem-validate-code`,
    types: ['CodeSystem'],
    methods: QUERY,
    type: validateInCodeSystem,
  },
  { name: 'reindex', definition: `${OWN}reindex`, types: [], methods: COMMAND, system: reindex },
  { name: 'reindex-status', definition: `${OWN}reindex-status`, types: [], methods: QUERY, system: reindexStatus },
];

export const LEVELS = ['system', 'type', 'instance'] as const;
export type OperationLevel = (typeof LEVELS)[number];

/** By operationId of openapi.json: `metaAddOfInstance`, and `metaOfTypeByPost` where GET has it too. */
export function operationId({ name, methods }: Operation, level: OperationLevel, method: 'get' | 'post'): string {
  const camel = name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  const suffix = method === 'post' && methods.length > 1 ? 'ByPost' : '';
  return `${camel}Of${level.charAt(0).toUpperCase()}${level.slice(1)}${suffix}`;
}

export function isOperationOf({ types }: Operation, type: string): boolean {
  return types === '*' || types.includes(type);
}
