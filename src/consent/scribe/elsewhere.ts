import type { Resource } from '@medplum/fhirtypes';
import type { SealDrafts } from '../../repository/seal-draft.ts';
import type { Describer } from '../describe.ts';
import type { Described, DescribeItem } from './protocol.ts';
import type { Scribe } from './scribe.ts';

/** One resource to be described, and its text without version. */
export interface ToDescribe extends DescribeItem {
  readonly resource: Resource;
}

/** In the order given. @throws MedSealError `unenforceable-consent` */
export type DescribeAll = (items: readonly ToDescribe[]) => Promise<readonly Described[]>;

/** In the scribe's thread where that pays; a Consent, which may be refused, always here. */
export function describeElsewhere(scribe: Scribe, describer: Describer): DescribeAll {
  const here = ({ resource, institution, idToken, version, text }: ToDescribe): Described => ({
    ...describer.describe(resource, institution, version),
    contentToken: describer.contentToken(idToken, text),
  });
  return async (items) => {
    const others = items.filter(({ resource }) => resource.resourceType !== 'Consent');
    const sent = others.map(({ text, institution, idToken, version }) => ({ text, institution, idToken, version }));
    const described = await scribe.describe(sent);
    if (described === undefined) return items.map(here);
    const found = new Map(others.map((item, index) => [item, described[index]]));
    return items.map((item) => found.get(item) ?? here(item));
  };
}

export function sealElsewhere(scribe: Scribe, here: SealDrafts): SealDrafts {
  return async (jobs) => {
    const items = jobs.map(({ facts: { content, previous, ...facts }, wrapping }) => ({
      ...facts,
      text: content,
      previous: previous === undefined ? undefined : Buffer.from(previous).toString('hex'),
      wrapping,
    }));
    const sealed = await scribe.seal(items);
    return (
      sealed?.map(({ digest, leafHash, ...parts }) => ({
        ...parts,
        digest: digest === undefined ? undefined : Buffer.from(digest, 'hex'),
        leafHash: Buffer.from(leafHash, 'hex'),
      })) ?? here(jobs)
    );
  };
}
