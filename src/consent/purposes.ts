/**
 * The purpose-of-use branch of HL7's v3-ActReason: each code with its children.
 * http://terminology.hl7.org/CodeSystem/v3-ActReason, value set v3-PurposeOfUse.
 */
const CHILDREN: Readonly<Record<string, readonly string[]>> = {
  PurposeOfUse: ['HMARKT', 'HOPERAT', 'HPAYMT', 'HRESCH', 'PATRQT', 'PUBHLTH', 'TREAT'],
  HOPERAT: [
    'CAREMGT',
    'DONAT',
    'FRAUD',
    'GOV',
    'HACCRED',
    'HCOMPL',
    'HDECD',
    'HDIRECT',
    'HDM',
    'HLEGAL',
    'HOUTCOMS',
    'HPRGRP',
    'HQUALIMP',
    'HSYSADMIN',
    'MEMADMIN',
    'MILCDM',
    'PATADMIN',
    'PATSFTY',
    'PERFMSR',
    'RECORDMGT',
    'SYSDEV',
    'TRAIN',
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

const PARENT: ReadonlyMap<string, string> = new Map(
  Object.entries(CHILDREN).flatMap(([parent, children]) => children.map((child) => [child, parent] as const)),
);

export const PURPOSE_SYSTEM = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';

export function isPurpose(code: string): boolean {
  return PARENT.has(code) || code === 'PurposeOfUse';
}

/** The code itself and everything above it: a provision for any of these covers a request for `code`. */
export function purposeAndAncestors(code: string): readonly string[] {
  const chain = [code];
  for (let parent = PARENT.get(code); parent !== undefined; parent = PARENT.get(parent)) chain.push(parent);
  return chain;
}

/** Whether any of these purposes is treatment: what a custodian's default access is for. */
export function isTreatment(purposes: readonly string[]): boolean {
  return purposes.some((purpose) => purposeAndAncestors(purpose).includes('TREAT'));
}
