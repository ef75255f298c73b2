import type { PermittedRecord } from '../consent/guarded-reader.ts';
import { parseJson } from '../fhir/json/parse.ts';
import type { AnchorState } from '../trail/evidence/collect.ts';
import type { Services } from './services.ts';

/** How far what a Provenance tells of has come on its way to the ledger; on every Provenance that is read. */
const ANCHOR = 'https://medseal.org/fhir/StructureDefinition/anchor';

/**
 * The contents as they are shown: of a Provenance with its anchor state, which is computed here, outside digest, ETag
 * and evidence (DESIGN §8), of everything else the exact bytes. A Provenance is logged after the versions that it tells
 * of, so once it is anchored they are.
 */
export async function anchoredContents(
  { evidence }: Pick<Services, 'evidence'>,
  records: readonly PermittedRecord[],
): Promise<readonly (string | Buffer | undefined)[]> {
  const told = records.filter(({ row }) => row.type === 'Provenance').map(({ row }) => row.versionId);
  if (told.length === 0) return records.map(({ content }) => content);
  const states = await evidence.anchorStates(told);
  return records.map(({ row, content }) => {
    const state = states.get(row.versionId);
    return state === undefined || content === undefined ? content : withAnchor(content, state);
  });
}

function withAnchor(content: Buffer, state: AnchorState): string {
  const { extension, ...provenance } = parseJson(content) as {
    readonly extension?: readonly { readonly url?: string }[];
  };
  // One that a client sent along says nothing.
  const kept = (extension ?? []).filter(({ url }) => url !== ANCHOR);
  return JSON.stringify({ ...provenance, extension: [...kept, extensionOf(state)] });
}

function extensionOf(anchor: AnchorState): object {
  const state = { url: 'state', valueCode: anchor.state };
  if (anchor.state === 'pending') return { url: ANCHOR, extension: [state] };
  const { transactionId, block, at } = anchor;
  return {
    url: ANCHOR,
    extension: [
      state,
      { url: 'transaction', valueString: transactionId },
      // Wider than FHIR's integers.
      { url: 'block', valueString: block.toString() },
      { url: 'time', valueInstant: at },
    ],
  };
}
