import { MedSealError } from '../errors.ts';
import { isTreatment, purposeAndAncestors } from '../fhir/terminology/purpose-of-use.ts';
import type { Institution, InstitutionDirectory } from '../repository/institutions.ts';
import type { Names } from '../repository/names.ts';
import type { PrincipalSettings } from '../repository/permitted.ts';
import type { Principal, RequestContext, ResourceIdentity, ScopeAction } from '../request-context.ts';
import type { Token, Tokenizer } from '../sealing/blind-index/tokenizer.ts';
import { selfToken } from '../sealing/identity.ts';
import type { AccessRequest } from './decide.ts';
import { principalFacets } from './facets.ts';
import { grantTokens, granularGrants } from './granular-scopes.ts';
import type { ConsentAction } from './policy.ts';
import { coveredTypes } from './scope-types.ts';

/** Turns who asks into the two forms that the two locks take: names for `decide`, tokens for the views. */
export interface PrincipalResolver {
  accessRequest(context: RequestContext, action: ConsentAction, scope: ScopeAction): AccessRequest;
  settings(context: RequestContext, request: AccessRequest): PrincipalSettings;
}

export interface PrincipalResolverOptions {
  readonly institutions: InstitutionDirectory;
  readonly names: Names;
  readonly tokenizer: Tokenizer;
}

export function createPrincipalResolver({
  institutions,
  names,
  tokenizer,
}: PrincipalResolverOptions): PrincipalResolver {
  const nameOf = (identity: ResourceIdentity): string => names.name(identity.institution, identity.type, identity.id);

  const ownInstitution = (principal: Principal): Institution => {
    const found = institutions.find(principal.institution);
    if (found === undefined) throw new MedSealError('forbidden', 'The institution of this client no longer exists');
    return found;
  };

  return {
    accessRequest({ principal, instant, actingAs = [] }, action, scope) {
      const { institution, purposes, patient, user, emergency } = principal;
      const clinical = principal.scopes;
      // Beside scopes of other contexts each patient/ scope is limited by itself.
      const ofPatient = clinical.filter((scope) => scope.context === 'patient');
      const limited = ofPatient.length < clinical.length;
      const whole = limited ? clinical.filter((scope) => scope.context !== 'patient') : clinical;
      const compartment = patient === undefined ? [] : [nameOf(patient)];
      // A patient's app, and a representative's, speaks for no institution, whichever it is registered with.
      const personal = isPersonal(principal);
      const organization = personal ? [] : [names.name(institution, 'Organization', institution)];
      const broken = emergency && [nameOf(emergency)];
      const self = user?.type === 'Patient' ? [nameOf(user)] : [];
      return {
        types: coveredTypes(whole, scope),
        granular: granularGrants(clinical, scope, limited, compartment),
        institution,
        // A RelatedPerson is somebody only as long as the record says so, which was looked up.
        actors: [
          ...new Set([
            ...organization,
            ...(user === undefined || user.type === 'RelatedPerson' ? [] : [nameOf(user)]),
            ...actingAs,
          ]),
        ],
        purposes,
        action,
        instant,
        self,
        compartment: broken ?? (limited || ofPatient.length === 0 ? undefined : compartment),
        emergency: broken !== undefined,
        custodianAccess: !personal,
      };
    },

    settings({ principal }, request) {
      const institution = ownInstitution(principal);
      const own = request.custodianAccess ? institution.id : undefined;
      return {
        readers: principalReaders(request, institution.name, names, tokenizer),
        facets: principalFacets(request).map((facet) => facetToken(tokenizer, facet)),
        self: request.self.map(names.idToken),
        compartment: request.compartment?.map(names.idToken),
        types: request.types,
        grants: request.granular.map((grant) => ({
          type: grant.type,
          within: grant.within?.map(names.idToken),
          conditions: grantTokens(grant, tokenizer),
        })),
        institution: request.compartment === undefined ? own : undefined,
        custodian: isTreatment(request.purposes) ? own : undefined,
        instant: request.instant,
        emergency: request.emergency,
      };
    },
  };
}

/** Whether somebody acts for themselves or their family, whichever institution they are registered with. */
export function isPersonal({ user }: Principal): boolean {
  return user?.type === 'Patient' || user?.type === 'RelatedPerson';
}

export function facetToken(tokenizer: Tokenizer, facet: string): Token {
  return tokenizer.token('consent facet', facet);
}

/** Readers of a record of the directory. */
export function directoryReader(tokenizer: Tokenizer): Token {
  return tokenizer.token('reader', 'directory');
}

export function custodianReader(tokenizer: Tokenizer, institution: string): Token {
  return tokenizer.token('reader', `custodian|${institution}`);
}

/** For each pair of actor and purpose, either of which may be anyone's or anything. */
export function permitReaders(
  tokenizer: Tokenizer,
  actors: readonly string[] | undefined,
  purposes: readonly string[] | undefined,
): readonly Token[] {
  return (actors ?? ['*']).flatMap((actor) =>
    (purposes ?? ['*']).map((purpose) => tokenizer.token('reader', `permit|${actor}|${purpose}`)),
  );
}

function principalReaders(
  request: AccessRequest,
  institution: string,
  names: Names,
  tokenizer: Tokenizer,
): readonly Token[] {
  const actors = [...request.actors, '*'];
  const purposes = [...new Set(request.purposes.flatMap(purposeAndAncestors)), '*'];
  const brokenGlass = request.emergency ? (request.compartment ?? []) : [];
  return [
    directoryReader(tokenizer),
    ...(request.custodianAccess ? [custodianReader(tokenizer, institution)] : []),
    ...[...request.self, ...brokenGlass].map((patient) => selfToken(names.idToken(patient)).toString()),
    ...permitReaders(tokenizer, actors, purposes),
  ];
}

/** `client` or `client user`: who a leaf's author commitment is about. */
export function authorOf({ clientId, user }: Principal): string {
  return user === undefined ? clientId : `${clientId} ${user.institution}/${user.type}/${user.id}`;
}
