import type { RecordCoding, Told } from './facts.ts';
import type { Coding } from './policy.ts';

/**
 * HL7's order of confidentiality, lowest first. http://terminology.hl7.org/CodeSystem/v3-Confidentiality
 *
 * R4 defines securityLabel as a high-water mark: "R" applies to all resources that are labelled "R" or lower. Every other
 * label is a tag, and covered by equality alone.
 */
const CONFIDENTIALITY_ORDER = ['U', 'L', 'M', 'N', 'R', 'V'] as const;
const CONFIDENTIALITY_SYSTEM = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';

export function isConfidentiality(label: Coding): boolean {
  return label.system === CONFIDENTIALITY_SYSTEM && rankOf(label) >= 0;
}

/** What a provision's label covers: itself, and for confidentiality every lower one. */
export function coveredLabels(label: Coding): readonly Coding[] {
  if (!isConfidentiality(label)) return [label];
  const codes = CONFIDENTIALITY_ORDER.slice(0, rankOf(label) + 1);
  return codes.map((code) => ({ system: CONFIDENTIALITY_SYSTEM, code }));
}

/**
 * How confidential a record is: as much as the most confidential of its parts, when the record itself bears a label.
 *
 * @param own labels of the record
 * @param inner labels of each resource inside of it
 */
export function confidentialityOf(
  own: readonly RecordCoding[],
  inner: readonly (readonly RecordCoding[])[],
): Told<RecordCoding> {
  const mark = highest(own);
  const marks = [mark, ...inner.map(highest)].filter((one) => one !== undefined);
  const overall = highest(marks);
  return {
    certain: mark !== undefined && overall?.system !== undefined ? [overall] : [],
    possible: marks,
    open: mark === undefined,
  };
}

/** A record that bears labels, but not a certain tag, is taken to say that the tag does not apply. */
export function tagsOf(own: readonly RecordCoding[], inner: readonly (readonly RecordCoding[])[]): Told<RecordCoding> {
  return {
    certain: own.filter((label) => label.system !== undefined && !isRanked(label)),
    possible: [own, ...inner].flat().filter((label) => label.system === undefined || !isRanked(label)),
    open: own.length === 0,
  };
}

/** Where a record that bears a label itself stands in the order, the lowest being 0; undefined for one that does not. */
export function confidentialityRank({ possible, open }: Told<RecordCoding>): number | undefined {
  return open ? undefined : Math.max(...possible.map(rankOf));
}

function highest(labels: readonly RecordCoding[]): RecordCoding | undefined {
  const ranked = labels.filter(isRanked);
  // Of two that rank the same, the one that bears its system.
  return ranked.sort(
    (a, b) => rankOf(b) - rankOf(a) || Number(a.system === undefined) - Number(b.system === undefined),
  )[0];
}

/** Without a system it may be a code of this order, and then it counts. */
function isRanked({ system, code }: RecordCoding): boolean {
  return (system === undefined || system === CONFIDENTIALITY_SYSTEM) && rankOf({ code }) >= 0;
}

function rankOf({ code }: { readonly code: string }): number {
  return (CONFIDENTIALITY_ORDER as readonly string[]).indexOf(code);
}
