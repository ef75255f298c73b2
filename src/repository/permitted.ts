import { MedSealError } from '../errors.ts';
import type { Token } from '../sealing/blind-index/tokenizer.ts';
import { selfToken } from '../sealing/identity.ts';
import type { Database } from '../storage/database/port.ts';
import type { CommonTokens } from './common-tokens.ts';
import { type Criterion, compileCriterion, onlyReaders, Parameters } from './criteria.ts';
import { createSharedReads, type SharedRow } from './shared-reads.ts';

/**
 * The only way records are read on anyone's behalf: the views of migration 0005, as the reader role, with the request's
 * principal in transaction-local settings.
 */
export interface PrincipalSettings {
  readonly readers: readonly Token[];
  readonly facets: readonly Token[];
  /** Pseudonyms. */
  readonly self: readonly string[];
  readonly compartment: readonly string[] | undefined;
  readonly types: readonly string[] | '*';
  /** What else the scopes cover: of each list of conditions a version must have one token. */
  readonly grants: readonly GrantSettings[];
  readonly institution: number | undefined;
  readonly custodian: number | undefined;
  /** Epoch milliseconds. */
  readonly instant: number;
  readonly emergency: boolean;
}

export interface GrantSettings {
  readonly type: string;
  /** Pseudonyms; undefined for no limit to compartments. */
  readonly within: readonly string[] | undefined;
  readonly conditions: readonly (readonly Token[])[];
}

export interface PermittedRow {
  readonly versionId: bigint;
  readonly institution: number;
  readonly type: string;
  readonly idToken: string;
  readonly version: number;
  readonly interaction: 'create' | 'update' | 'delete';
  readonly at: string;
  readonly patients: readonly string[];
  readonly sealed: string | null;
  readonly digest: Buffer | null;
  readonly envelope: string;
  readonly leafHash: Buffer;
  /** Version rows of the consents of its patients and of whom they are merged with, from the same snapshot. */
  readonly consents: readonly bigint[];
  /** With whom its patients are merged, from the same snapshot; see `parseMerge`. */
  readonly merges: readonly string[];
}

/** Oldest change first by (at, version id); `before` and `after` exclude their own position. */
export interface Position {
  readonly at: string;
  readonly versionId: bigint;
}

export interface SearchPlan {
  /** undefined: any, where the criterion tells by itself which rows are meant. */
  readonly type: string | undefined;
  /** undefined: the union of all bases. */
  readonly institution: number | undefined;
  readonly criterion: Criterion;
}

export interface HistoryPlan {
  readonly institution: number;
  readonly type: string | undefined;
  readonly idToken: string | undefined;
  /** Only versions at or after this instant (RFC 3339). */
  readonly since: string | undefined;
  /** Only versions that were the newest at some moment of `[from, until)` (RFC 3339). */
  readonly during?: { readonly from: string; readonly until: string } | undefined;
  /** Newest first: continue below this version row. */
  readonly before: bigint | undefined;
  readonly limit: number;
}

/** What of a row is needed to put it in order; its sort keys are in the envelope. */
export type SortRow = Pick<
  PermittedRow,
  'versionId' | 'institution' | 'type' | 'idToken' | 'version' | 'at' | 'envelope'
>;

/** Through the views, planning a statement takes longer than most of them run. */
const PLANNED_ONCE = { plan_cache_mode: 'force_generic_plan' } as const;

/**
 * Whether the index of tokens or the order of change leads to a page of what many rows have sooner depends on how many. A
 * plan that was kept for all of them would take the order, and read everything of the type for a rare token.
 */
const PLANNED_EACH = { plan_cache_mode: 'force_custom_plan' } as const;

/** The same order, but no reason to walk the index of times: few rows are sorted sooner than found there. */
const AT_UNINDEXED = "r.at + interval '0'";

export interface PermittedReader {
  /** At the principal's instant or a little later; the answer tells. */
  current(principal: PrincipalSettings, idToken: string): Promise<SharedRow>;
  version(principal: PrincipalSettings, idToken: string, version: number): Promise<PermittedRow | undefined>;
  history(principal: PrincipalSettings, plan: HistoryPlan): Promise<readonly PermittedRow[]>;
  /** In order of change, ascending or descending, beyond `beyond`. */
  search(
    principal: PrincipalSettings,
    plan: SearchPlan,
    page: { readonly limit: number; readonly descending: boolean; readonly beyond: Position | undefined },
  ): Promise<readonly PermittedRow[]>;
  /** All matches, at most `limit`, in no particular order. */
  sortRows(principal: PrincipalSettings, plan: SearchPlan, limit: number): Promise<readonly SortRow[]>;
  /** The current rows of these version rows, in no particular order. */
  rows(principal: PrincipalSettings, versionIds: readonly bigint[]): Promise<readonly PermittedRow[]>;
  count(principal: PrincipalSettings, plan: SearchPlan): Promise<number>;
}

/** Longer ones are loaded one by one when they are opened, so that no page of rows is larger than it may be. */
const INLINE_BYTES = 65_536;
const VERSION_COLUMNS = `institution, type, id_token as "idToken", version, interaction, at, patients,
  case when octet_length(sealed) <= ${INLINE_BYTES} then sealed end as sealed, digest, envelope,
  leaf_hash as "leafHash", consents, merges`;
const CURRENT = `select version_id as "versionId", ${VERSION_COLUMNS} from permitted_current r`;
const VERSION = `select id as "versionId", ${VERSION_COLUMNS} from permitted_version r`;

/** @param common tells which searches are answered by a plan that is made once */
export function createPermittedReader(database: Database, common: CommonTokens): PermittedReader {
  const run = <Row>(
    principal: PrincipalSettings,
    text: string,
    values: readonly unknown[],
    selective = true,
  ): Promise<readonly Row[]> =>
    database.transaction('reader', (sql) => sql.query<Row>(text, values), {
      settings: { ...settingsOf(principal), ...(selective ? PLANNED_ONCE : PLANNED_EACH) },
      readOnly: true,
      pipelined: true,
    });

  const current = createSharedReads((principal, idTokens) => {
    const text = `${CURRENT} where (self, id_token) in (select * from unnest($1::bigint[], $2::uuid[]))`;
    return run<PermittedRow>(principal, text, [idTokens.map(selfToken), idTokens]);
  });

  return {
    current: (principal, idToken) => current.load(principal, idToken),
    async version(principal, idToken, version) {
      const text = `${VERSION} where id_token = $1 and version = $2`;
      return (await run<PermittedRow>(principal, text, [idToken, version]))[0];
    },
    history(principal, plan) {
      const parameters = new Parameters();
      const conditions = [`institution = ${parameters.add(plan.institution)}`];
      if (plan.type !== undefined) conditions.push(`type = ${parameters.add(plan.type)}`);
      if (plan.idToken !== undefined) conditions.push(`id_token = ${parameters.add(plan.idToken)}`);
      if (plan.since !== undefined) conditions.push(`at >= ${parameters.add(plan.since)}`);
      if (plan.during !== undefined) {
        conditions.push(`at < ${parameters.add(plan.during.until)}`);
        conditions.push(`not exists (select from permitted_version n
          where n.id_token = r.id_token and n.version = r.version + 1 and n.at <= ${parameters.add(plan.during.from)})`);
      }
      if (plan.before !== undefined) conditions.push(`id < ${parameters.add(plan.before)}`);
      const text = `${VERSION} where ${conditions.join(' and ')} order by id desc limit ${parameters.add(plan.limit)}`;
      return run<PermittedRow>(principal, text, parameters.values, plan.idToken !== undefined);
    },
    search(principal, plan, { limit, descending, beyond }) {
      const parameters = new Parameters();
      const { selective, criterion } = common.approach(plan.criterion);
      const where = whereOf({ ...plan, criterion }, selective, parameters);
      const direction = descending ? 'desc' : 'asc';
      const after =
        beyond === undefined
          ? ''
          : ` and (r.at, r.version_id) ${descending ? '<' : '>'} (${parameters.add(beyond.at)}, ${parameters.add(beyond.versionId)})`;
      const order = `order by ${selective ? AT_UNINDEXED : 'r.at'} ${direction}, r.version_id ${direction} limit ${parameters.add(limit)}`;
      const text = `${CURRENT} where ${where}${after} ${order}`;
      return run<PermittedRow>(principal, text, parameters.values, selective);
    },
    sortRows(principal, plan, limit) {
      const parameters = new Parameters();
      const { selective, criterion } = common.approach(plan.criterion);
      const where = whereOf({ ...plan, criterion }, selective, parameters);
      const text = `select version_id as "versionId", institution, type, id_token as "idToken", version, at, envelope
        from permitted_current r where ${where} limit ${parameters.add(limit)}`;
      return run<SortRow>(principal, text, parameters.values, selective);
    },
    rows(principal, versionIds) {
      return run<PermittedRow>(principal, `${VERSION} where id = any ($1::bigint[])`, [versionIds]);
    },
    async count(principal, plan) {
      const parameters = new Parameters();
      const { selective, criterion } = common.approach(plan.criterion);
      const where = whereOf({ ...plan, criterion }, selective, parameters);
      const text = `select count(*) as matches from permitted_current r where ${where}`;
      const [row] = await run<{ matches: bigint }>(principal, text, parameters.values, selective);
      if (row === undefined) throw new MedSealError('internal', 'A count came back without a row');
      return Number(row.matches);
    },
  };
}

function whereOf(plan: SearchPlan, selective: boolean, parameters: Parameters): string {
  const conditions = selective ? ['not r.deleted'] : ['not r.deleted', onlyReaders('r')];
  // In the index of times, type comes first: nothing that would make a search for few records faster.
  const type = selective ? "(r.type || '')" : 'r.type';
  if (plan.type !== undefined) conditions.push(`${type} = ${parameters.add(plan.type)}`);
  if (plan.institution !== undefined) conditions.push(`r.institution = ${parameters.add(plan.institution)}`);
  conditions.push(compileCriterion(plan.criterion, 'r', parameters, { table: 'permitted_current' }));
  return conditions.join(' and ');
}

/** The view reads a missing setting as "nothing", so what is undefined here is left out. */
export function settingsOf(principal: PrincipalSettings): Readonly<Record<string, string>> {
  const { compartment, institution, custodian } = principal;
  return {
    'medseal.readers': `{${principal.readers.join(',')}}`,
    'medseal.facets': `{${principal.facets.join(',')}}`,
    'medseal.self': `{${principal.self.join(',')}}`,
    'medseal.types': typesText(principal),
    'medseal.compartment': compartment === undefined ? '*' : `{${compartment.join(',')}}`,
    'medseal.instant': new Date(principal.instant).toISOString(),
    ...(principal.grants.length === 0 ? {} : { 'medseal.grants': grantsText(principal.grants) }),
    ...(institution === undefined ? {} : { 'medseal.institution': String(institution) }),
    ...(custodian === undefined ? {} : { 'medseal.custodian': String(custodian) }),
    ...(principal.emergency ? { 'medseal.emergency': 'on' } : {}),
  };
}

/** An empty setting would read as a missing one: a token of granular scopes alone covers no type whole. */
function typesText({ types, grants }: PrincipalSettings): string {
  if (types === '*') return types;
  return types.length === 0 && grants.length > 0 ? NO_TYPE : types.join(',');
}

const NO_TYPE = '-';

/** For jsonb_to_recordset; each condition is an array literal. */
function grantsText(grants: readonly GrantSettings[]): string {
  return JSON.stringify(
    grants.map(({ type, within, conditions }) => ({
      type,
      within: within === undefined ? null : `{${within.join(',')}}`,
      conditions: conditions.map((tokens) => `{${tokens.join(',')}}`),
    })),
  );
}
