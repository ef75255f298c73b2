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
    accessRequest({ principal, instant }, action, scope) {
      const { institution, purposes, patient, user } = principal;
      const clinical = principal.scopes;
      // One patient/ scope limits the whole token to the compartment: the narrower reading.
      const patientOnly = clinical.some((scope) => scope.context === 'patient');
      const organization = patientOnly ? [] : [names.name(institution, 'Organization', institution)];
      const people = [user, patient].filter((one) => one !== undefined).map(nameOf);
      const self = patient === undefined ? [] : [nameOf(patient)];
      return {
        types: coveredTypes(clinical, scope),
        institution,
        actors: [...new Set([...organization, ...people])],
        purposes,
        action,
        instant,
        self,
        compartment: patientOnly ? self : undefined,
        emergency: false,
        custodianAccess: !patientOnly,
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
        institution: own,
        custodian: isTreatment(request.purposes) ? own : undefined,
        instant: request.instant,
        emergency: request.emergency,
      };
    },
  };
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
