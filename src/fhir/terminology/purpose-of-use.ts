/**
 * The purpose-of-use branch of HL7's v3-ActReason, value set http://terminology.hl7.org/ValueSet/v3-PurposeOfUse: each
 * code with its children. A test compares it with HL7's own CodeSystem (npm `hl7.fhir.r4.examples`).
 */
const CHILDREN: Readonly<Record<string, readonly string[]>> = {
  PurposeOfUse: ['HMARKT', 'HOPERAT', 'HPAYMT', 'HRESCH', 'PATRQT', 'PUBHLTH', 'TREAT'],
  HOPERAT: [
    ...['CAREMGT', 'DONAT', 'FRAUD', 'GOV', 'HACCRED', 'HCOMPL', 'HDECD', 'HDIRECT', 'HDM', 'HLEGAL', 'HOUTCOMS'],
    ...['HPRGRP', 'HQUALIMP', 'HSYSADMIN', 'MEMADMIN', 'MILCDM', 'PATADMIN', 'PATSFTY', 'PERFMSR', 'RECORDMGT'],
    ...['SYSDEV', 'TRAIN'],
  ],
  HSYSADMIN: ['LABELING', 'METAMGT'],
  SYSDEV: ['HTEST'],
  HPAYMT: ['CLMATTCH', 'COVAUTH', 'COVERAGE', 'REMITADV'],
  COVERAGE: ['ELIGDTRM', 'ELIGVER', 'ENROLLM', 'MILDCRG'],
  HRESCH: ['BIORCH', 'CLINTRCH', 'DSRCH', 'POARCH', 'TRANSRCH'],
  CLINTRCH: ['CLINTRCHNPC', 'CLINTRCHPC', 'PRECLINTRCH'],
  PATRQT: ['FAMRQT', 'PWATRNY', 'SUPNWK'],
  PUBHLTH: ['DISASTER', 'THREAT'],
  TREAT: ['CLINTRL', 'COC', 'ETREAT', 'POPHLTH'],
  ETREAT: ['BTG', 'ERTREAT'],
};

export const PURPOSE_SYSTEM = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';

/** Every code below the abstract `PurposeOfUse`: what a token may be for. */
export const PURPOSES_OF_USE: ReadonlySet<string> = new Set(Object.values(CHILDREN).flat());

const LINES: ReadonlyMap<string, readonly string[]> = new Map(
  ['PurposeOfUse', ...PURPOSES_OF_USE].map((code) => [code, lineOf(code)]),
);

/**
 * The code itself and everything above it, nearest first: what is said of any of these holds for `code`. Of a code that
 * is no purpose, itself alone.
 */
export function purposeAndAncestors(code: string): readonly string[] {
  return LINES.get(code) ?? [code];
}

/** Whether any of these purposes is treatment or a kind of it. */
export function isTreatment(purposes: readonly string[]): boolean {
  return purposes.some((purpose) => purposeAndAncestors(purpose).includes('TREAT'));
}

function lineOf(code: string): readonly string[] {
  const parent = Object.keys(CHILDREN).find((one) => CHILDREN[one]?.includes(code));
  return parent === undefined ? [code] : [code, ...lineOf(parent)];
}
