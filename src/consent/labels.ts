import type { Coding } from './policy.ts';

/** HL7's order of confidentiality, lowest first. http://terminology.hl7.org/CodeSystem/v3-Confidentiality */
const CONFIDENTIALITY_ORDER = ['U', 'L', 'M', 'N', 'R', 'V'] as const;
export const CONFIDENTIALITY_SYSTEM = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';

function rankOf(coding: Coding): number {
  if (coding.system !== CONFIDENTIALITY_SYSTEM) return -1;
  return (CONFIDENTIALITY_ORDER as readonly string[]).indexOf(coding.code);
}

/**
 * What a provision's label covers: itself, and for confidentiality every lower one, as R4 defines securityLabel ("R"
 * applies to all resources that are labelled "R" or lower). Every other label is covered by equality alone.
 */
export function coveredLabels(label: Coding): readonly Coding[] {
  const rank = rankOf(label);
  if (rank < 0) return [label];
  return CONFIDENTIALITY_ORDER.slice(0, rank + 1).map((code) => ({ system: CONFIDENTIALITY_SYSTEM, code }));
}

/** The labels a record counts as bearing: of several confidentiality codes only the highest (high-water mark). */
export function effectiveLabels(labels: readonly Coding[]): readonly Coding[] {
  const highest = Math.max(-1, ...labels.map(rankOf));
  return labels.filter((label) => {
    const rank = rankOf(label);
    return rank < 0 || rank === highest;
  });
}
