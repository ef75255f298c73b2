import type { Consent } from '@medplum/fhirtypes';
import { hl7Example } from '../../support/sample-data.ts';
import {
  about,
  but,
  type ConsentCase,
  data,
  dated,
  deny,
  doing,
  during,
  forPurpose,
  LOINC,
  labelled,
  ofType,
  optIn,
  optOut,
  permit,
  type RefusedCase,
  root,
  to,
} from './kit.ts';

const R4 = 'HL7 FHIR R4, Consent examples';
const PCF = 'IHE ITI Privacy Consent on FHIR (PCF)';
const DS4P = 'HL7 Data Segmentation for Privacy (DS4P)';

/** HL7's own, with its patient and institutions exchanged for ours. */
function example(name: string): Partial<Consent> {
  const text = Buffer.from(hl7Example(`Consent-consent-example-${name}.json`).bytes).toString('utf8');
  const { id: _id, text: _text, verification: _v, ...rest } = JSON.parse(text) as Consent;
  return JSON.parse(
    JSON.stringify({ ...rest, patient: undefined, performer: undefined, sourceReference: undefined })
      .replaceAll('Organization/f001', 'Organization/hospital-b')
      .replaceAll('Practitioner/f204', '%B%/Practitioner/dr-b'),
  ) as Partial<Consent>;
}

function without(consent: Partial<Consent>, action: string): Partial<Consent> {
  const kept = (consent.provision?.action ?? []).filter(({ coding }) => coding?.[0]?.code !== action);
  return { ...consent, provision: { ...consent.provision, action: kept } };
}

const OF_R4: readonly ConsentCase[] = [
  {
    name: 'R4 basic',
    source: R4,
    why: 'An opt-in whose period ended in 2016 says nothing today.',
    consents: [example('basic')],
    asks: [
      { by: 'B', sees: '' },
      { by: 'A', sees: 'all' },
    ],
  },
  {
    name: 'R4 notTime',
    source: R4,
    why: 'An opt-in for January 2015 alone: a root that names only a period bounds the whole consent.',
    consents: [example('notTime')],
    asks: [{ by: 'B', sees: '' }],
  },
  {
    name: 'R4 smartonfhir',
    source: R4,
    why: 'A SMART session of half an hour in 2016 is over, its exception with it.',
    consents: [example('smartonfhir')],
    asks: [{ by: 'B', sees: '' }],
  },
  {
    name: 'R4 notOrg, less its correct',
    source: R4,
    why: 'Opt-in to everyone but one organization.',
    consents: [without(example('notOrg'), 'correct')],
    asks: [
      { by: 'B', sees: '' },
      { by: 'Dr B', sees: '' },
      { by: 'R', sees: 'all' },
      { by: 'A', sees: 'all' },
    ],
  },
  {
    name: 'R4 notThem, less its correct',
    source: R4,
    why: 'Opt-in to everyone but one nurse; a root without a type is the exception.',
    consents: [without(example('notThem'), 'correct')],
    asks: [
      { by: 'Dr B', sees: '' },
      { by: 'Nurse B', sees: 'all' },
      { by: 'B', sees: 'all' },
    ],
  },
];

const OF_PCF: readonly ConsentCase[] = [
  {
    name: 'PCF basic permit',
    source: PCF,
    why: 'A patient who agrees to the overarching policy of sharing for treatment.',
    consents: [optIn()],
    asks: [{ by: 'B', sees: 'all' }],
  },
  {
    name: 'PCF basic deny',
    source: PCF,
    why: 'A patient who does not; the custodian goes on treating.',
    consents: [optOut()],
    asks: [
      { by: 'B', sees: '' },
      { by: 'A', sees: 'all' },
    ],
  },
  {
    name: 'PCF basic, no consent on file',
    source: PCF,
    why: 'Without one the default of the community holds, here that nothing is shared.',
    consents: [],
    asks: [{ by: 'B', sees: '' }],
  },
  {
    name: 'PCF basic, expired',
    source: PCF,
    why: 'An expired consent is none.',
    consents: [optIn(during('2020-01-01', '2021-01-01'))],
    asks: [{ by: 'B', sees: '' }],
  },
  {
    name: 'PCF intermediate, by purpose of use',
    source: PCF,
    why: 'Treatment is permitted to everyone, research is not.',
    consents: [optOut({ provision: [permit(forPurpose('TREAT'))] })],
    asks: [
      { by: 'B', sees: 'all' },
      { by: 'R', sees: '' },
      { by: 'B payment', sees: '' },
    ],
  },
  {
    name: 'PCF intermediate, to a named organization only',
    source: PCF,
    why: 'One recipient is permitted by name.',
    consents: [optOut({ provision: [permit(to('hospital-b'), forPurpose('TREAT'))] })],
    asks: [
      { by: 'B', sees: 'all' },
      { by: 'B payment', sees: '' },
      { by: 'R', sees: '' },
    ],
  },
  {
    name: 'PCF intermediate, not to a named organization',
    source: PCF,
    why: 'Everyone but one recipient.',
    consents: [optIn({ provision: [deny(to('hospital-b'))] })],
    asks: [
      { by: 'B', sees: '' },
      { by: 'R', sees: 'all' },
    ],
  },
  {
    name: 'PCF intermediate, data of a time frame withheld',
    source: PCF,
    why: 'Records of a year are withheld, and those that do not tell their date.',
    consents: [optIn({ provision: [deny(dated('2021-01-01', '2021-12-31'))] })],
    asks: [{ by: 'B', sees: 'hb hiv note' }],
  },
  {
    name: 'PCF intermediate, data by identity withheld',
    source: PCF,
    why: 'One record is withheld by its id.',
    consents: [optIn({ provision: [deny(data('instance', 'Observation/@-hiv'))] })],
    asks: [{ by: 'B', sees: 'patient hb psych diabetes visit rx note bare' }],
  },
  {
    name: 'PCF intermediate, data by author withheld',
    source: PCF,
    why: 'What one practitioner wrote, and what does not tell who wrote it.',
    consents: [optIn({ provision: [deny(data('authoredby', '%B%/Practitioner/dr-b'))] })],
    asks: [{ by: 'B', sees: 'hb rx' }],
  },
  {
    name: 'PCF intermediate, research project',
    source: PCF,
    why: 'A project permitted by its institute and purpose, for as long as it lasts.',
    consents: [optOut({ provision: [permit(to('research-institute'), forPurpose('HRESCH'), during('2020', '2190'))] })],
    asks: [
      { by: 'R', sees: 'all' },
      { by: 'R marketing', sees: '' },
      { by: 'B', sees: '' },
    ],
  },
  {
    name: 'PCF advanced, normal data permitted and restricted withheld',
    source: PCF,
    why: 'Normal and below is shared for treatment.',
    consents: [optOut({ provision: [permit(forPurpose('TREAT'), labelled('N'))] })],
    asks: [{ by: 'B', sees: 'patient hb diabetes visit rx' }],
  },
  {
    name: 'PCF advanced, HIV permitted to one organization',
    source: PCF,
    why: 'Beside what is normal, one sensitive topic, to one recipient.',
    consents: [
      optOut({ provision: [permit(forPurpose('TREAT'), labelled('N')), permit(to('hospital-b'), labelled('HIV'))] }),
    ],
    asks: [
      { by: 'B', sees: 'patient hb hiv diabetes visit rx' },
      { by: 'R', sees: '' },
    ],
  },
];

const OF_DS4P: readonly ConsentCase[] = [
  {
    name: 'DS4P restricted data are withheld from those without a need',
    source: DS4P,
    why: 'A confidentiality code is a high-water mark for whom it is shared with.',
    consents: [root(permit(to('hospital-b'), labelled('N')))],
    asks: [{ by: 'B', sees: 'patient hb diabetes visit rx' }],
  },
  {
    name: 'DS4P mental health is withheld',
    source: DS4P,
    why: 'Sensitivity PSY, whatever its confidentiality.',
    consents: [optIn(deny(labelled('PSY')))],
    asks: [
      { by: 'B', sees: 'patient hb hiv diabetes visit rx note' },
      { by: 'R', sees: 'patient hb hiv diabetes visit rx note' },
    ],
  },
  {
    name: 'DS4P substance abuse that no record bears',
    source: DS4P,
    why: 'A topic that labelled records do not name is not in them; an unlabelled one does not tell.',
    consents: [optIn(deny(labelled('ETH')))],
    asks: [{ by: 'B', sees: 'patient hb hiv psych diabetes visit rx note' }],
  },
  {
    name: 'DS4P sensitive data to the treating only',
    source: DS4P,
    why: 'What is sensitive is for treatment, the rest for everyone; what bears no label may be sensitive, but is not known to be.',
    consents: [optIn(deny(labelled('HIV', 'PSY'), but(permit(forPurpose('TREAT')))))],
    asks: [
      { by: 'B', sees: 'patient hb hiv psych diabetes visit rx note' },
      { by: 'R', sees: 'patient hb diabetes visit rx note' },
    ],
  },
  {
    name: 'DS4P redisclosure withheld',
    source: DS4P,
    why: 'Reading is permitted, passing on is not: a read is not a disclosure.',
    consents: [root(permit(to('hospital-b'), but(deny(doing('disclose')))))],
    asks: [{ by: 'B', sees: 'all' }],
  },
  {
    name: 'DS4P research with what is not sensitive',
    source: DS4P,
    why: 'Purpose and label must match together.',
    consents: [root(permit(forPurpose('HRESCH'), labelled('N'), ofType('Observation', 'Condition')))],
    asks: [{ by: 'R', sees: 'hb diabetes' }],
  },
  {
    name: 'DS4P one result by code in spite of its label',
    source: DS4P,
    why: 'An exception brings back what its label withholds.',
    consents: [root(permit(to('hospital-b'), but(deny(labelled('HIV'), but(permit(about(LOINC, '7917-8')))))))],
    asks: [{ by: 'B', sees: 'patient hb hiv psych diabetes visit rx note' }],
  },
];

export const PUBLISHED_CASES: readonly ConsentCase[] = [...OF_R4, ...OF_PCF, ...OF_DS4P];

/** HL7's own examples that cannot be enforced in full. */
export const PUBLISHED_REFUSALS: readonly RefusedCase[] = (
  [
    ['Emergency', 'Consent.provision.actor[0].role', 'A custodian as actor is no recipient.'],
    ['Out', 'Consent.provision.actor[0].role', 'A custodian as actor is no recipient.'],
    ['grantor', 'Consent.provision.actor[0].role', 'A custodian beside a recipient.'],
    ['notAuthor', 'Consent.provision.actor[0].role', 'A custodian as actor is no recipient.'],
    ['notOrg', 'Consent.provision.action[1].coding[0]', 'Whether somebody may correct no consent decides.'],
    ['notThem', 'Consent.provision.action[1].coding[0]', 'Whether somebody may correct no consent decides.'],
    ['notThis', 'Consent.provision.data[0].meaning', 'What is related to a Task is not known.'],
    ['pkb', 'Consent.provision.provision[0].type', 'Its exceptions do not say what they are.'],
    ['signature', 'Consent.provision.provision[0].actor[0].role', 'An author is no recipient.'],
  ] as const
).map(([name, expression, why]) => ({ name: `R4 ${name}`, source: R4, why, consent: example(name), expression }));
