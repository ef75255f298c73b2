import { notFound } from '../../consent/guarded-reader.ts';
import type { Institution } from '../../repository/institutions.ts';
import type { RequestContext } from '../../request-context.ts';
import type { Services } from '../services.ts';

/** Where a search is made: at an institution's base, or over the union of all. */
export interface SearchBase {
  /** '' for the union. */
  readonly name: string;
  readonly url: string;
  /** undefined for the union. */
  readonly institution: number | undefined;
  /** The bases that relative references and ids are read against. */
  readonly institutions: readonly string[];
}

export function baseOf(services: Pick<Services, 'institutions' | 'publicUrl'>, context: RequestContext): SearchBase {
  const { institutions, publicUrl } = services;
  if (context.base.kind === 'union') {
    const all = institutions.own().map((one) => one.name);
    return { name: '', url: `${publicUrl}/fhir`, institution: undefined, institutions: all };
  }
  const { name, id } = institutionOf(services, context);
  return { name, url: `${publicUrl}/${name}/fhir`, institution: id, institutions: [name] };
}

/** The institution whose base was asked. @throws MedSealError `not-found` at the union, and where there is none */
export function institutionOf(
  { institutions }: Pick<Services, 'institutions'>,
  { base }: Pick<RequestContext, 'base'>,
): Institution {
  const institution = base.kind === 'institution' ? institutions.find(base.institution) : undefined;
  if (institution === undefined) throw notFound();
  return institution;
}
