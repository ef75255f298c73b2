import type { ParsedReference } from '../fhir/references/reference.ts';
import type { Identities } from '../sealing/identity.ts';

/**
 * A resource's identity is (institution, type, id); as one text it is `{institution}/{Type}/{id}`. The institutions
 * themselves are the exception: `Organization/{institution}` names the same one in every base (DESIGN §3).
 */
export interface Names {
  name(institution: string, type: string, id: string): string;
  /** What a literal reference in a resource of `institution` names; undefined when it is nothing of this node. */
  nameOf(reference: ParsedReference, institution: string): string | undefined;
  /** The id token of what a reference names, of this node or elsewhere. */
  locate(reference: ParsedReference, institution: string): string;
  idToken(name: string): string;
}

export interface NamesOptions {
  readonly institutions: { find(name: string): { readonly name: string } | undefined };
  readonly identities: Identities;
  /** Without a trailing slash. */
  readonly publicUrl: string;
}

export function createNames({ institutions, identities, publicUrl }: NamesOptions): Names {
  const name = (institution: string, type: string, id: string): string =>
    type === 'Organization' && institutions.find(id) !== undefined
      ? `${id}/Organization/${id}`
      : `${institution}/${type}/${id}`;

  const ownBase = (base: string): string | undefined => {
    if (!base.startsWith(`${publicUrl}/`) || !base.endsWith('/fhir')) return undefined;
    const institution = base.slice(publicUrl.length + 1, -'/fhir'.length);
    return institutions.find(institution)?.name;
  };

  const nameOf = (reference: ParsedReference, institution: string): string | undefined => {
    if (reference.kind === 'relative') return name(institution, reference.type, reference.id);
    if (reference.kind !== 'absolute') return undefined;
    const base = ownBase(reference.base);
    return base === undefined ? undefined : name(base, reference.type, reference.id);
  };

  const idToken = (full: string): string => {
    const [institution = '', type = '', id = ''] = full.split('/');
    return identities.idToken(institution, type, id);
  };

  return {
    name,
    nameOf,
    idToken,
    locate(reference, institution) {
      const known = nameOf(reference, institution);
      return known === undefined ? identities.idToken('', 'external', externalText(reference)) : idToken(known);
    },
  };
}

function externalText(reference: ParsedReference): string {
  switch (reference.kind) {
    case 'absolute':
      return `${reference.base}/${reference.type}/${reference.id}`;
    case 'urn':
      return reference.urn;
    case 'canonical':
      return reference.url;
    case 'uri':
      return reference.uri;
    default:
      return `${reference.kind}`;
  }
}
