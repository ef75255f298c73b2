import type { Consent, Resource } from '@medplum/fhirtypes';
import { MedSealError } from '../errors.ts';
import type { Institution } from '../repository/institutions.ts';
import type { Names } from '../repository/names.ts';
import type { CurrentState } from '../repository/own-partition.ts';
import type { PatientConsents, VersionLoader } from '../repository/version-loader.ts';
import type { Guard } from '../repository/write.ts';
import type { RequestContext } from '../request-context.ts';
import type { Tokenizer } from '../sealing/blind-index/tokenizer.ts';
import { type ConsentStore, consentNames } from './consent-store.ts';
import { decide } from './decide.ts';
import { mergedPolicies } from './merges.ts';
import { parseConsent } from './parse-consent.ts';
import type { Provision } from './policy.ts';
import type { PrincipalResolver } from './principal.ts';
import type { FactsReader } from './record-facts.ts';

/** A Consent that is about to be written, and what is there of it. */
export interface ConsentWriting {
  readonly institution: Institution;
  readonly interaction: 'create' | 'update' | 'delete';
  /** Undefined for a deletion. */
  readonly after: Resource | undefined;
  /** The newest content; undefined where there is none. */
  readonly before: Resource | undefined;
  readonly state: CurrentState | undefined;
}

/** DESIGN §7: the patient, a representative, or a practitioner who records a witnessed paper writes a Consent. */
export interface ConsentAuthors {
  /** @returns what must still hold when it is written. @throws MedSealError `forbidden` */
  require(context: RequestContext, writing: ConsentWriting): Promise<readonly Guard[]>;
}

export interface ConsentAuthorsOptions {
  readonly names: Names;
  readonly loader: VersionLoader;
  readonly consents: ConsentStore;
  readonly principals: PrincipalResolver;
  readonly facts: FactsReader;
  readonly tokenizer: Tokenizer;
}

export function createConsentAuthors(options: ConsentAuthorsOptions): ConsentAuthors {
  const { names, loader, consents, principals, facts, tokenizer } = options;

  /** Lets somebody write what the patient's consents let them do in the patient's place, but never choose who does. */
  async function requireRepresentative(context: RequestContext, writing: ConsentWriting): Promise<readonly Guard[]> {
    const { institution, before, after, interaction, state } = writing;
    const request = principals.accessRequest(context, 'write', LETTERS[interaction]);
    const contents = [before, after].filter((one) => one !== undefined);
    const records = contents.map((one) => facts.read(one, institution.name));
    const patients = [...new Set(records.flatMap((record) => record.patients))];
    const [patient] = patients;
    if (patient === undefined || patients.length > 1 || contents.some((one) => givesAway(one, institution.name))) {
      throw refused('A representative consents for one patient, and lets nobody else act for them');
    }
    const patientToken = names.idToken(patient);
    const known = await loader.consentsOf(patientToken);
    const policies = mergedPolicies(await consents.load(known.consents), known.merges, [patient], names);
    const decisions = records.map((record) => decide(request, record, policies));
    if (!decisions.every(({ permit, basis }) => permit && basis === 'representative')) {
      throw refused('Nothing lets this person write Consents of the patient');
    }
    if (state?.patients.some((one) => one !== patientToken)) {
      throw refused('A representative consents for one patient, and lets nobody else act for them');
    }
    return [
      {
        lock: tokenizer.token('consent author', patient),
        // Whatever was withdrawn or merged meanwhile is heard: whoever writes that holds the patient's lock alone.
        holds: async (sql) => same(await loader.consentsOf(patientToken, sql), known),
      },
    ];
  }

  function givesAway(resource: Resource, institution: string): boolean {
    if (resource.resourceType !== 'Consent') return true;
    // One that is not in force may come to be.
    const active = { ...resource, status: 'active' as const };
    const enforced = parseConsent(active, consentNames(names, institution, resource.id ?? '', 1));
    const visit = ({ represents, nested }: Provision): boolean => represents || nested.some(visit);
    return enforced.provisions.some(visit);
  }

  return {
    async require(context, writing) {
      const { user } = context.principal;
      const { after, before, state, interaction } = writing;
      if (user?.type === 'Patient') {
        const own = names.idToken(names.name(user.institution, 'Patient', user.id));
        const was = state === undefined || state.patients.every((one) => one === own);
        if (was && (interaction === 'delete' || isConsentOf(after, user.id))) return [];
        throw new MedSealError('forbidden', 'A patient consents for themselves', { expression: 'Consent.patient' });
      }
      if (user?.type === 'RelatedPerson') return requireRepresentative(context, { ...writing, before });
      const staff = user?.type === 'Practitioner' || user?.type === 'PractitionerRole';
      if (staff && isWitnessed(after)) return [];
      throw refused(
        'A Consent is written by the patient, a representative, or a practitioner who records a witnessed paper (source and verification)',
      );
    },
  };
}

const LETTERS = { create: 'c', update: 'u', delete: 'd' } as const;

function refused(message: string): MedSealError {
  return new MedSealError('forbidden', message, { expression: 'Consent.verification' });
}

function same(one: PatientConsents, other: PatientConsents): boolean {
  const textOf = ({ consents, merges }: PatientConsents): string => [...consents, ...merges].join();
  return textOf(one) === textOf(other);
}

function isConsentOf(resource: Resource | undefined, patientId: string): boolean {
  return resource?.resourceType === 'Consent' && resource.patient?.reference === `Patient/${patientId}`;
}

/** Whether a Consent says that it records a paper which somebody has verified with the patient. */
export function isWitnessed(resource: Resource | undefined): resource is Consent {
  if (resource?.resourceType !== 'Consent') return false;
  const source = resource.sourceAttachment ?? resource.sourceReference;
  return source !== undefined && (resource.verification ?? []).some((one) => one.verified === true);
}
