import type { PermittedRecord } from '../../consent/guarded-reader.ts';
import { MedSealError } from '../../errors.ts';
import { parseJson } from '../../fhir/json/parse.ts';
import type { SearchControl } from '../../fhir/search/query.ts';
import { type Subset, subsetOf } from '../../fhir/search/subset.ts';
import { anchoredContents } from '../anchor-state.ts';
import type { TextEntry } from '../bundle-text.ts';
import type { Services } from '../services.ts';

/** All of each resource. */
export const WHOLE: Pick<SearchControl, 'summary' | 'elements'> = {};

/** The entries of a searchset: matches first, then what was included; whole, or the part that was asked for. */
export async function entriesOf(
  services: Pick<Services, 'evidence' | 'publicUrl'>,
  control: Pick<SearchControl, 'summary' | 'elements'>,
  matches: readonly PermittedRecord[],
  included: readonly PermittedRecord[],
): Promise<readonly TextEntry[]> {
  const records = [...matches, ...included];
  const contents = await anchoredContents(services, records);
  const { matched, other } = subsets(control);
  return records.map(({ institution, row, id }, index) => {
    const content = contents[index];
    if (content === undefined) throw new MedSealError('internal', 'A search found a deleted record');
    const isMatch = index < matches.length;
    return {
      fullUrl: `${services.publicUrl}/${institution}/fhir/${row.type}/${id}`,
      resource: partOf(content, isMatch ? matched : other),
      members: { search: { mode: isMatch ? 'match' : 'include' } },
    };
  });
}

/** `_elements` names those of what was searched; what is included for a reference's sake would be left without any. */
function subsets({ summary, elements }: Pick<SearchControl, 'summary' | 'elements'>): {
  matched: Subset | undefined;
  other: Subset | undefined;
} {
  const form = summary === 'true' || summary === 'text' || summary === 'data' ? summary : undefined;
  const other: Subset | undefined = form === undefined ? undefined : { kind: 'summary', form };
  return { matched: elements === undefined ? other : { kind: 'elements', names: elements }, other };
}

function partOf(content: string | Buffer, subset: Subset | undefined): string | Buffer {
  if (subset === undefined) return content;
  const resource = parseJson(Buffer.from(content)) as Readonly<Record<string, unknown>>;
  return JSON.stringify(subsetOf(resource, subset));
}
