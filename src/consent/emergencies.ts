import { randomUUID } from 'node:crypto';
import { MedSealError } from '../errors.ts';
import { isUuid } from '../fhir/references/reference.ts';
import type { EmergencyRow, EmergencyRows } from '../repository/emergencies.ts';
import type { InstitutionDirectory } from '../repository/institutions.ts';
import type { Principal, RequestContext, ResourceIdentity } from '../request-context.ts';

/** Breaking the glass (DESIGN §7.5): a practitioner's word opens one patient's record for a while, and is reviewed. */
export interface Emergencies {
  /** Written down before there is a token. @throws MedSealError `forbidden`, `not-supported` */
  open(context: RequestContext, patient: ResourceIdentity, reason: string, minutes: number): Promise<OpenedEmergency>;
  /** The queue of a reviewer: all that wait for a review, then the last that had one; each newest first. */
  list(): Promise<readonly Emergency[]>;
  /** What is found unjustified is over at once. @throws MedSealError `not-found`, `already-exists` */
  review(id: string, review: EmergencyReview): Promise<void>;
}

export interface OpenedEmergency {
  readonly token: string;
  readonly scope: string;
  /** RFC 3339. */
  readonly until: string;
  /** `{institution}/{Type}/{id}` */
  readonly practitioner: string;
}

export interface EmergencyReview {
  readonly outcome: 'justified' | 'unjustified';
  readonly note: string;
}

export interface Emergency {
  readonly id: string;
  /** Whose record it is. */
  readonly institution: string;
  readonly at: string;
  readonly until: string;
  readonly practitioner: string;
  readonly client: string;
  readonly patient: string;
  readonly reason: string;
  readonly review?: EmergencyReview;
}

/** What a row holds sealed. */
type Told = Pick<Emergency, 'practitioner' | 'client' | 'patient' | 'reason'>;

/** What gives the token; of the authorization server. */
export interface EmergencyTokenIssuer {
  issue(
    principal: Principal,
    user: ResourceIdentity,
    patient: ResourceIdentity,
    seconds: number,
  ): Promise<{ readonly token: string; readonly digest: Buffer; readonly scope: string }>;
  revoke(digest: Buffer): Promise<void>;
}

interface Box {
  seal(place: string, value: unknown): Promise<string>;
  open(place: string, sealed: string): Promise<unknown>;
}

export interface EmergenciesOptions {
  readonly rows: EmergencyRows;
  readonly box: Box;
  /** Undefined where tokens are somebody else's. */
  readonly tokens: EmergencyTokenIssuer | undefined;
  readonly institutions: InstitutionDirectory;
}

/** None drops out of the queue unseen: when so many wait, reviewing shows the next. */
const MOST_WAITING = 10_000;
const MOST_REVIEWED = 1000;

export function createEmergencies({ rows, box, tokens, institutions }: EmergenciesOptions): Emergencies {
  const placeOf = (id: string, what: string): string => `emergency ${what} ${id}`;

  async function describe(row: EmergencyRow): Promise<Emergency> {
    const { id, at, until } = row;
    const told = (await box.open(placeOf(id, 'access'), row.sealed)) as Told;
    const review =
      row.review === null ? undefined : ((await box.open(placeOf(id, 'review'), row.review)) as EmergencyReview);
    const institution = institutions.byId(row.institution)?.name ?? '';
    return { id, institution, at, until, ...told, ...(review && { review }) };
  }

  return {
    async open({ principal, instant }, patient, reason, minutes) {
      const { user, clientId } = principal;
      const institution = institutions.find(patient.institution);
      const isStaff = user?.type === 'Practitioner' || user?.type === 'PractitionerRole';
      if (user === undefined || !isStaff || principal.emergency !== undefined || institution === undefined) {
        throw new MedSealError('forbidden', 'Only a practitioner breaks the glass, with a token of their own');
      }
      if (tokens === undefined) {
        throw new MedSealError('not-supported', 'Tokens come from another issuer here, which has no such token');
      }
      const practitioner = `${user.institution}/${user.type}/${user.id}`;
      const until = new Date(instant + minutes * 60_000).toISOString();
      const issued = await tokens.issue(principal, user, patient, minutes * 60);
      const id = randomUUID();
      const told: Told = {
        practitioner,
        client: clientId,
        patient: `${patient.institution}/Patient/${patient.id}`,
        reason,
      };
      await rows.insert({
        id,
        institution: institution.id,
        at: new Date(instant).toISOString(),
        until,
        token: issued.digest,
        sealed: await box.seal(placeOf(id, 'access'), told),
      });
      return { token: issued.token, scope: issued.scope, until, practitioner };
    },
    async list() {
      const waiting = await rows.list(false, MOST_WAITING);
      const reviewed = await rows.list(true, MOST_REVIEWED);
      return Promise.all([...waiting, ...reviewed].map(describe));
    },
    async review(id, review) {
      const row = isUuid(id) ? await rows.find(id) : undefined;
      if (row === undefined) throw new MedSealError('not-found', 'There is no such emergency access');
      if (!(await rows.review(id, await box.seal(placeOf(id, 'review'), review)))) {
        throw new MedSealError('already-exists', 'This emergency access was reviewed before');
      }
      if (review.outcome === 'unjustified') await tokens?.revoke(row.token);
    },
  };
}
