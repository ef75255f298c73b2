import { notFound } from '../../consent/guarded-reader.ts';
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

export function baseOf(
  { institutions, publicUrl }: Pick<Services, 'institutions' | 'publicUrl'>,
  { base }: RequestContext,
): SearchBase {
  if (base.kind === 'union') {
    const all = institutions.own().map((one) => one.name);
    return { name: '', url: `${publicUrl}/fhir`, institution: undefined, institutions: all };
  }
  const institution = institutions.find(base.institution);
  if (institution === undefined) throw notFound();
  const { name, id } = institution;
  return { name, url: `${publicUrl}/${name}/fhir`, institution: id, institutions: [name] };
}
