import type { ConsentProvision } from '@medplum/fhirtypes';
import {
  ATC,
  about,
  type ConsentCase,
  data,
  dated,
  deny,
  doing,
  forPurpose,
  ICD10,
  LOINC,
  labelled,
  ofProfile,
  ofType,
  optIn,
  permit,
  root,
  SNOMED,
  TERMINOLOGY,
  to,
} from './kit.ts';

type Provision = ConsentProvision;

/** To hospital-b, with one more attribute. */
function grants(name: string, why: string, attribute: Provision, sees: string): ConsentCase {
  return {
    name: `permits ${name}`,
    why,
    consents: [root(permit(to('hospital-b'), attribute))],
    asks: [
      { by: 'B', sees },
      { by: 'R', sees: '' },
      { by: 'A', sees: 'all' },
    ],
  };
}

/** From everyone, what hospital-b and the custodian alike may no longer see. */
function withholds(name: string, why: string, attribute: Provision, sees: string): ConsentCase {
  return {
    name: `withholds ${name}`,
    why,
    consents: [optIn(deny(attribute))],
    asks: [
      { by: 'B', sees },
      { by: 'A', sees },
      { by: 'self', sees: 'all' },
    ],
  };
}

const BY_LABEL: readonly ConsentCase[] = [
  grants('what is labelled L or lower', 'A label is a high-water mark: everything up to it.', labelled('L'), 'visit'),
  grants(
    'what is labelled N or lower',
    'Normal covers low, never restricted.',
    labelled('N'),
    'patient hb diabetes visit rx',
  ),
  grants(
    'what is labelled R or lower',
    'Restricted covers normal, never very restricted, nor what bears no label.',
    labelled('R'),
    'patient hb hiv psych diabetes visit rx',
  ),
  grants(
    'everything that is labelled',
    'The highest mark covers every label, but what bears none does not tell.',
    labelled('V'),
    'patient hb hiv psych diabetes visit rx note',
  ),
  grants('psychiatry', 'A sensitivity label is compared by equality alone.', labelled('PSY'), 'psych'),
  grants('low confidentiality, or HIV', 'Several labels are alternatives.', labelled('L', 'HIV'), 'hiv visit'),
  withholds(
    'psychiatry',
    'What bears other labels says that this one does not apply; what bears none does not tell, and is withheld.',
    labelled('PSY'),
    'patient hb hiv diabetes visit rx note',
  ),
  withholds(
    'psychiatry and HIV',
    'Either label is enough to be withheld.',
    labelled('PSY', 'HIV'),
    'patient hb diabetes visit rx note',
  ),
  withholds(
    'what is labelled R or lower',
    'R4 has the label of a provision cover what is labelled so or lower, in a deny too: only V is left.',
    labelled('R'),
    'note',
  ),
  withholds('all that is labelled', 'Below the highest mark is everything.', labelled('V'), ''),
  withholds(
    'what is labelled N or lower',
    'A patient who withholds the ordinary leaves the restricted, odd as it is: what is written is done.',
    labelled('N'),
    'hiv psych note',
  ),
];

const BY_CODE: readonly ConsentCase[] = [
  grants('one code', 'A code is compared with its system.', about(LOINC, '718-7'), 'hb'),
  grants('two codes', 'Several codes are alternatives.', about(LOINC, '718-7', '7917-8'), 'hb hiv'),
  grants('the same code of another system', 'Another system is another code.', about(SNOMED, '718-7'), ''),
  grants('a category of ICD-10', 'E11.9 is a kind of E11.', about(ICD10, 'E11'), 'diabetes'),
  grants('a narrower code of ICD-10', 'E11 is no kind of E11.9, nor is another category.', about(ICD10, 'E11.91'), ''),
  grants('a subgroup of ATC', 'A10BA02 is a kind of A10.', about(ATC, 'A10'), 'rx'),
  grants('a whole group of ATC', 'A10BA02 is a kind of A as well.', about(ATC, 'A'), 'rx'),
  grants(
    'a class of encounter',
    'A permit goes by what a record is about, its type’s code, and an encounter is about its type.',
    about(`${TERMINOLOGY}/v3-ActCode`, 'AMB'),
    '',
  ),
  grants('a type of encounter', 'The type is what it is about.', about(SNOMED, '185349003'), 'visit'),
  grants('a type of document', 'A document is about its type.', about(LOINC, '11488-4'), 'note'),
  withholds(
    'one code',
    'What tells its code and is about another stays; the patient and what is in words do not tell.',
    about(LOINC, '7917-8'),
    'hb psych diabetes visit rx note',
  ),
  withholds('a category of ICD-10', 'F32.1 is a kind of F32.', about(ICD10, 'F32'), 'hb hiv diabetes visit rx note'),
  withholds(
    'every kind of encounter',
    'A deny hears any code in a record, and what that is a kind of.',
    about(`${TERMINOLOGY}/v3-ActCode`, '_ActEncounterCode'),
    'hb hiv psych diabetes rx note',
  ),
];

const BY_TIME: readonly ConsentCase[] = [
  grants('a year', 'What is dated in it; what has no date does not tell.', dated('2023'), 'hb hiv note'),
  grants('a single day', 'Both ends are included.', dated('2023-03-01', '2023-03-01'), 'hb'),
  grants('a month that a visit ends in', 'An overlap is enough.', dated('2021-06', '2021-06'), 'visit'),
  grants('until the day a visit begins', 'The first day counts.', dated(undefined, '2021-05-30'), 'visit'),
  grants('until the day before', 'The day before does not.', dated(undefined, '2021-05-29'), ''),
  grants('from the day a visit ends', 'The last day counts.', dated('2021-06-02', '2022'), 'visit'),
  grants('from the day after', 'The day after does not.', dated('2021-06-03', '2022'), ''),
  withholds('a year', 'Whatever may be dated in it is withheld.', dated('2023', '2023'), 'visit'),
];

const BY_TYPE: readonly ConsentCase[] = [
  grants('one type', 'A class is a resource type.', ofType('Observation'), 'hb hiv bare'),
  grants('two types', 'Several classes are alternatives.', ofType('Patient', 'Encounter'), 'patient visit'),
  grants(
    'a type by its definition',
    'The profile of all Conditions is the type.',
    ofProfile('http://hl7.org/fhir/StructureDefinition/Condition'),
    'psych diabetes',
  ),
  grants('a profile', 'Whatever its version.', ofProfile('http://example.org/profile/note'), 'note'),
  withholds(
    'one type',
    'Every resource tells its type.',
    ofType('Observation'),
    'patient psych diabetes visit rx note',
  ),
  withholds(
    'a profile',
    'What names no profile may conform to it all the same.',
    ofProfile('http://example.org/profile/note'),
    '',
  ),
  withholds(
    'another profile',
    'What names a profile says which one; the others do not tell.',
    ofProfile('http://example.org/profile/other'),
    'note',
  ),
];

const BY_DATA: readonly ConsentCase[] = [
  grants('one record', 'A record is named by its type and id.', data('instance', 'Observation/@-hb'), 'hb'),
  grants('what a doctor wrote', 'Performer or requester.', data('authoredby', 'Practitioner/dr-a'), 'hb rx'),
  grants(
    'what a doctor of another hospital wrote',
    'The author is named by an absolute reference.',
    data('authoredby', '%B%/Practitioner/dr-b'),
    'note',
  ),
  grants('a record of somebody else', 'It is not among these.', data('instance', 'Observation/nothing'), ''),
  withholds(
    'one record',
    'Every record tells its name.',
    data('instance', 'Observation/@-hiv'),
    'patient hb psych diabetes visit rx note bare',
  ),
  withholds(
    'what a doctor wrote',
    'What does not tell its author may be that doctor’s.',
    data('authoredby', 'Practitioner/dr-a'),
    'note',
  ),
];

const BY_ACTION: readonly ConsentCase[] = [
  grants('access', 'Reading and searching.', doing('access'), 'all'),
  grants('use', 'To use is to read.', doing('use'), 'all'),
  grants('disclosure alone', 'Disclosing is exporting and releasing, which a read is not.', doing('disclose'), ''),
  withholds('disclosure', 'A read is not withheld by it.', doing('disclose'), 'all'),
  withholds('access', 'A specific deny reaches the custodian too.', doing('access'), ''),
];

const BY_PURPOSE: readonly ConsentCase[] = [
  {
    name: 'permits research',
    why: 'A purpose covers the kinds of it: a clinical trial is research, marketing is not.',
    consents: [root(permit(forPurpose('HRESCH')))],
    asks: [
      { by: 'R', sees: 'all' },
      { by: 'R trial', sees: 'all' },
      { by: 'R marketing', sees: '' },
      { by: 'A research', sees: 'all' },
      { by: 'B', sees: '' },
      { by: 'B silent', sees: '' },
    ],
  },
  {
    name: 'permits clinical trials',
    why: 'The general is no kind of the particular.',
    consents: [root(permit(forPurpose('CLINTRCH')))],
    asks: [
      { by: 'R', sees: '' },
      { by: 'R trial', sees: 'all' },
    ],
  },
  {
    name: 'permits treatment',
    why: 'Emergency treatment is treatment, payment is not, and a token that is silent is for nothing in particular.',
    consents: [root(permit(forPurpose('TREAT')))],
    asks: [
      { by: 'B', sees: 'all' },
      { by: 'B emergency', sees: 'all' },
      { by: 'B payment', sees: '' },
      { by: 'B silent', sees: '' },
      { by: 'R', sees: '' },
    ],
  },
  {
    name: 'permits every purpose',
    why: 'The root of the purposes covers all of them, but not none.',
    consents: [root(permit(forPurpose('PurposeOfUse')))],
    asks: [
      { by: 'B payment', sees: 'all' },
      { by: 'R marketing', sees: 'all' },
      { by: 'B silent', sees: '' },
    ],
  },
  {
    name: 'withholds from marketing',
    why: 'A token that keeps its purpose to itself might be for marketing.',
    consents: [optIn(deny(forPurpose('HMARKT')))],
    asks: [
      { by: 'R marketing', sees: '' },
      { by: 'R', sees: 'all' },
      { by: 'B', sees: 'all' },
      { by: 'B silent', sees: '' },
    ],
  },
  {
    name: 'withholds from treatment',
    why: 'Whoever refuses that their records are used for treatment is heard by the custodian too.',
    consents: [root(deny(forPurpose('TREAT')))],
    asks: [
      { by: 'A', sees: '' },
      { by: 'Dr A', sees: '' },
      { by: 'B', sees: '' },
      { by: 'self', sees: 'all' },
    ],
  },
  {
    name: 'permits observations to one hospital for treatment',
    why: 'All attributes of a provision must match.',
    consents: [root(permit(to('hospital-b'), forPurpose('TREAT'), ofType('Observation')))],
    asks: [
      { by: 'B', sees: 'hb hiv bare' },
      { by: 'B payment', sees: '' },
      { by: 'R', sees: '' },
    ],
  },
  {
    name: 'permits laboratory results of one year that are not restricted',
    why: 'So must those that are about the record.',
    consents: [root(permit(to('hospital-b'), ofType('Observation'), dated('2023'), labelled('N')))],
    asks: [{ by: 'B', sees: 'hb' }],
  },
  {
    name: 'withholds restricted observations from one hospital',
    why: 'A deny that names several attributes withholds only where all of them match.',
    consents: [optIn(deny(to('hospital-b'), ofType('Observation'), labelled('HIV')))],
    asks: [
      { by: 'B', sees: 'patient hb psych diabetes visit rx note' },
      { by: 'R', sees: 'all' },
      { by: 'A', sees: 'all' },
    ],
  },
];

/** Each attribute of a provision by itself, in a permit and in a deny. Longer than 300 lines: a table of cases. */
export const ATTRIBUTE_CASES: readonly ConsentCase[] = [
  ...BY_LABEL,
  ...BY_CODE,
  ...BY_TIME,
  ...BY_TYPE,
  ...BY_DATA,
  ...BY_ACTION,
  ...BY_PURPOSE,
];
