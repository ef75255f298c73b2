import type { Resource } from '@medplum/fhirtypes';
import { utcText } from '../fhir/fhirpath/temporal.ts';
import type { InstitutionDirectory } from '../repository/institutions.ts';
import { parseMerge } from '../repository/merges.ts';
import type { Names } from '../repository/names.ts';
import type { PastVersions } from '../repository/past-versions.ts';
import type { RecordOpener } from '../repository/records.ts';
import type { VersionLoader } from '../repository/version-loader.ts';
import type { Principal, RequestContext, ResourceIdentity } from '../request-context.ts';
import type { ActingAs } from './acting-as.ts';
import type { ConsentStore } from './consent-store.ts';
import { type AccessRequest, type Decision, decide } from './decide.ts';
import { type RecordFacts, UNKNOWN_PATIENT } from './facts.ts';
import { hasScope, notFound } from './guarded-reader.ts';
import { mergedPolicies } from './merges.ts';
import type { ConsentAction, ConsentPolicy, Provision } from './policy.ts';
import { isPersonal, type PrincipalResolver } from './principal.ts';
import type { FactsReader } from './record-facts.ts';

/** Somebody who might ask, and for what. */
export interface Asker {
  /** `{institution}/{Type}/{id}`; undefined for somebody of whom nothing is known. */
  readonly actor: string | undefined;
  /** None: a token that is silent about it. */
  readonly purpose: string | undefined;
}

export interface Explanation extends Asker {
  readonly decision: Decision;
}

/** One version of a record, and what was decided about it. */
export interface ExplainedRecord {
  /** `{institution}/{Type}/{id}/_history/{version}` */
  readonly version: string;
  readonly at: number;
  readonly explanations: readonly Explanation[];
}

/**
 * Why somebody may read a record or may not, now or at a past moment, from the versions of record and consents of that
 * moment (DESIGN §7). For the patient, and for the custodian's own auditors, who are shown no content.
 */
export interface Explainer {
  /** May this one? @throws MedSealError `not-found` when there is none, or it is not theirs to ask about */
  mayRead(context: RequestContext, question: Question, asker: Asker): Promise<ExplainedRecord>;
  /** Who may? Everyone whom a consent names, every institution of the node, and somebody unknown. */
  whoMayRead(context: RequestContext, question: Question): Promise<ExplainedRecord>;
  /** Decides one past request again, for each version that it showed; undefined for one that is not there any more. */
  replay(request: PastRequest): Promise<readonly ExplainedRecord[]>;
}

export interface Question {
  readonly type: string;
  readonly id: string;
  /** Epoch milliseconds; undefined for now. */
  readonly at: number | undefined;
  readonly action: ConsentAction;
}

export interface PastRequest {
  readonly at: number;
  readonly institution: string;
  readonly clientId: string;
  readonly user: string | undefined;
  readonly purposes: readonly string[];
  /** `{institution}/{Type}/{id}/_history/{version}` */
  readonly versions: readonly string[];
}

export interface ExplainerOptions {
  readonly past: PastVersions;
  readonly loader: VersionLoader;
  readonly opener: RecordOpener;
  readonly consents: ConsentStore;
  readonly principals: PrincipalResolver;
  readonly actingAs: ActingAs;
  readonly facts: FactsReader;
  readonly names: Names;
  readonly institutions: InstitutionDirectory;
}

interface Opened {
  readonly version: string;
  readonly record: RecordFacts;
  readonly policies: readonly ConsentPolicy[];
}

/** The purposes that everybody is asked about, beside those that a consent names. */
const COMMON_PURPOSES = ['TREAT', 'ETREAT', 'HRESCH', 'HPAYMT', 'HOPERAT', 'PUBHLTH'];

export function createExplainer(options: ExplainerOptions): Explainer {
  const { past, loader, opener, consents, principals, actingAs, facts, names, institutions } = options;

  async function open(rowId: bigint | undefined, at: number): Promise<Opened | undefined> {
    const [row] = rowId === undefined ? [] : await loader.versions([rowId]);
    const opened = row === undefined ? undefined : await opener.open(row);
    if (row === undefined || opened?.content === undefined) return undefined;
    const resource = JSON.parse(opened.content.toString('utf8')) as Resource;
    const record = facts.read(resource, opened.institution);
    const known = record.patients.filter((one) => one !== UNKNOWN_PATIENT).map(names.idToken);
    const moment = utcText(at);
    const merges = known.length === 0 ? [] : await past.mergesAt(known, moment);
    const everyone = [...new Set([...known, ...merges.map((merge) => parseMerge(merge).other)])];
    const versions = known.length === 0 ? [] : await past.consentsAt(everyone, moment);
    const policies = mergedPolicies(await consents.load(versions), merges, record.patients, names);
    return { version: `${record.name}/_history/${row.version}`, record, policies };
  }

  async function requestOf(asker: Asker, action: ConsentAction, at: number): Promise<AccessRequest> {
    const purposes = asker.purpose === undefined ? [] : [asker.purpose];
    return requestFor(principalOf(asker.actor, purposes), action, at);
  }

  async function requestFor(principal: Principal, action: ConsentAction, at: number): Promise<AccessRequest> {
    const acting = institutions.find(principal.institution) === undefined ? [] : await actingAs.resolve(principal, at);
    const context = { principal, instant: at, actingAs: acting } as unknown as RequestContext;
    const request = principals.accessRequest(context, action, 'r');
    // It is consent that is explained: of scopes a token says enough itself.
    return { ...request, types: '*', granular: [], compartment: undefined };
  }

  /** An Organization stands for its institution's systems. */
  function principalOf(actor: string | undefined, purposes: readonly string[]): Principal {
    const [institution = '', type = '', id = ''] = actor?.split('/') ?? [];
    const user: ResourceIdentity | undefined = isUser(type) ? { institution, type, id } : undefined;
    return { clientId: '', institution, scopes: [], purposes, administrator: false, ...(user && { user }) };
  }

  async function explain(opened: Opened, asker: Asker, action: ConsentAction, at: number): Promise<Explanation> {
    const plain = await requestOf(asker, action, at);
    const isRole = asker.actor !== undefined && !plain.actors.includes(asker.actor);
    const request = isRole ? { ...plain, actors: [...plain.actors, asker.actor as string] } : plain;
    return { ...asker, decision: decide(request, opened.record, opened.policies) };
  }

  /** The patient's own, or the custodian's: whoever may read its access trail. */
  async function requireAsker(context: RequestContext, opened: Opened, institution: string): Promise<void> {
    const { principal } = context;
    const own = principal.institution === institution && !isPersonal(principal);
    if (own && hasScope(context, 'AuditEvent', 'r')) return;
    const request = principals.accessRequest(context, 'read', 'r');
    const { permit, basis } = decide({ ...request, types: '*' }, opened.record, opened.policies);
    if (!permit || (basis !== 'self' && basis !== 'representative')) throw notFound();
  }

  async function openFor(context: RequestContext, question: Question): Promise<Opened & { readonly at: number }> {
    if (context.base.kind === 'union') throw notFound();
    const { institution } = context.base;
    const at = Math.min(question.at ?? context.instant, context.instant);
    const idToken = names.idToken(names.name(institution, question.type, question.id));
    const now = await open(await past.recordAt(idToken, new Date(context.instant).toISOString()), context.instant);
    if (now === undefined) throw notFound();
    await requireAsker(context, now, institution);
    const then = at === context.instant ? now : await open(await past.recordAt(idToken, utcText(at)), at);
    if (then === undefined) throw notFound();
    context.journal.add({ institution: institutions.find(institution)?.id ?? 0, ...journalled(then) });
    return { ...then, at };
  }

  /** That somebody asked who may read is an access of its own. */
  function journalled({ record }: Opened) {
    return {
      name: record.name,
      leafHash: Buffer.alloc(0),
      patients: record.patients.filter((one) => one !== UNKNOWN_PATIENT),
    };
  }

  return {
    async mayRead(context, question, asker) {
      const opened = await openFor(context, question);
      const { version, at } = opened;
      return { version, at, explanations: [await explain(opened, asker, question.action, at)] };
    },
    async whoMayRead(context, question) {
      const opened = await openFor(context, question);
      const { version, at, policies } = opened;
      const purposes = [
        undefined,
        ...new Set([...COMMON_PURPOSES, ...policies.flatMap((one) => named(one, 'purposes'))]),
      ];
      const organizations = institutions.all().map(({ name }) => names.name(name, 'Organization', name));
      const people = policies.flatMap((one) => named(one, 'actors')).map((one) => one.replace(/^\w+ /, ''));
      const explanations: Explanation[] = [];
      for (const actor of [undefined, ...new Set([...organizations, ...people])]) {
        for (const purpose of purposes)
          explanations.push(await explain(opened, { actor, purpose }, question.action, at));
      }
      return { version, at, explanations };
    },
    async replay(request) {
      const { at, institution, clientId, purposes } = request;
      const [base = institution, type = '', id = ''] = request.user?.split('/') ?? [];
      const user = request.user === undefined ? undefined : { institution: base, type, id };
      const principal: Principal = {
        clientId,
        institution,
        purposes,
        scopes: [],
        administrator: false,
        ...(user && { user }),
      };
      const access = await requestFor(principal, 'read', at);
      const found: ExplainedRecord[] = [];
      for (const name of request.versions) {
        const [, resource = '', version] = /^(.*)\/_history\/(\d+)$/.exec(name) ?? [];
        const row = version === undefined ? undefined : await past.version(names.idToken(resource), Number(version));
        const opened = await open(row, at);
        if (opened === undefined) continue;
        const decision = decide(access, opened.record, opened.policies);
        found.push({ version: name, at, explanations: [{ actor: request.user, purpose: purposes[0], decision }] });
      }
      return found;
    },
  };
}

function isUser(type: string): boolean {
  return ['Practitioner', 'PractitionerRole', 'Patient', 'RelatedPerson'].includes(type);
}

function named(policy: ConsentPolicy, list: 'actors' | 'purposes'): readonly string[] {
  const visit = (provision: Provision): readonly string[] => [
    ...(provision[list] ?? []),
    ...provision.nested.flatMap(visit),
  ];
  return policy.provisions.flatMap(visit);
}
