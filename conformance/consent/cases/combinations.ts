import {
  about,
  but,
  type ConsentCase,
  concept,
  dated,
  deny,
  during,
  forPurpose,
  LOINC,
  labelled,
  ofType,
  optIn,
  optOut,
  permit,
  root,
  TERMINOLOGY,
  to,
} from './kit.ts';

const NOT_OBSERVATIONS = 'patient psych diabetes visit rx note';
const RESEARCH = { scope: concept(`${TERMINOLOGY}/consentscope`, 'research') };

const NESTED: readonly ConsentCase[] = [
  {
    name: 'an exception',
    why: 'What is nested in a provision is an exception to it.',
    consents: [root(permit(to('hospital-b'), but(deny(ofType('Observation')))))],
    asks: [
      { by: 'B', sees: NOT_OBSERVATIONS },
      { by: 'A', sees: 'all' },
    ],
  },
  {
    name: 'an exception to the exception',
    why: 'The deepest provision that matches decides.',
    consents: [root(permit(to('hospital-b'), but(deny(ofType('Observation'), but(permit(about(LOINC, '718-7')))))))],
    asks: [{ by: 'B', sees: `${NOT_OBSERVATIONS} hb` }],
  },
  {
    name: 'four levels',
    why: 'Exceptions may be nested to any depth.',
    consents: [
      root(
        permit(
          to('hospital-b'),
          but(deny(ofType('Observation'), but(permit(labelled('R'), but(deny(about(LOINC, '7917-8'))))))),
        ),
      ),
    ],
    asks: [{ by: 'B', sees: `${NOT_OBSERVATIONS} hb` }],
  },
  {
    name: 'an exception of somebody whom the provision is not about',
    why: 'It holds only where the provision around it holds.',
    consents: [root(permit(to('research-institute'), but(deny(to('hospital-b'))))), optIn()],
    asks: [
      { by: 'B', sees: 'all' },
      { by: 'R', sees: 'all' },
    ],
  },
  {
    name: 'a permission nested in a refusal',
    why: 'Nobody but one hospital, and the custodian by default.',
    consents: [root(deny(but(permit(to('hospital-b')))))],
    asks: [
      { by: 'B', sees: 'all' },
      { by: 'R', sees: '' },
      { by: 'A', sees: 'all' },
    ],
  },
  {
    name: 'a permission nested in an opt-out',
    why: 'The same by policyRule.',
    consents: [optOut({ provision: [permit(to('hospital-b'))] })],
    asks: [
      { by: 'B', sees: 'all' },
      { by: 'R', sees: '' },
    ],
  },
  {
    name: 'exceptions that differ about one record',
    why: 'Of provisions equally deep the one that denies holds.',
    consents: [root(deny(but(permit(to('hospital-b')), deny(ofType('Observation')))))],
    asks: [
      { by: 'B', sees: NOT_OBSERVATIONS },
      { by: 'A', sees: NOT_OBSERVATIONS },
    ],
  },
  {
    name: 'a deeper permission beside a refusal',
    why: 'The deeper one decides even over a refusal that names more.',
    consents: [
      root(deny(but(permit(to('hospital-b'), but(permit(about(LOINC, '718-7')))), deny(ofType('Observation'))))),
    ],
    asks: [{ by: 'B', sees: `${NOT_OBSERVATIONS} hb` }],
  },
  {
    name: 'an exception that is not yet',
    why: 'Each provision has a period of its own.',
    consents: [root(permit(to('hospital-b'), but(deny(during('2190')))))],
    asks: [{ by: 'B', sees: 'all' }],
  },
  {
    name: 'an exception that is still',
    why: 'Within its period it holds, for whom the provision around it is about.',
    consents: [root(permit(to('hospital-b'), but(deny(during(undefined, '2190')))))],
    asks: [
      { by: 'B', sees: '' },
      { by: 'A', sees: 'all' },
    ],
  },
  {
    name: 'a provision that is over with an exception that is not',
    why: 'A period around it bounds what is nested.',
    consents: [root(permit(to('hospital-b'), during('2001', '2002'), but(permit(during('2001', '2190')))))],
    asks: [{ by: 'B', sees: '' }],
  },
  {
    name: 'treatment refused but for some records',
    why: 'An exception may permit, to whoever treats.',
    consents: [root(deny(forPurpose('TREAT'), but(permit(ofType('Observation')))))],
    asks: [
      { by: 'A', sees: 'hb hiv bare' },
      { by: 'B', sees: 'hb hiv bare' },
      { by: 'R', sees: '' },
    ],
  },
  {
    name: 'an exception without attributes',
    why: 'It is an exception to all of what the provision around it says.',
    consents: [root(permit(to('hospital-b'), but(deny())))],
    asks: [{ by: 'B', sees: '' }],
  },
  {
    name: 'several exceptions',
    why: 'Each withholds its own.',
    consents: [
      root(
        permit(to('hospital-b'), but(deny(ofType('Observation')), deny(ofType('Condition')), deny(ofType('Patient')))),
      ),
    ],
    asks: [{ by: 'B', sees: 'visit rx note' }],
  },
  {
    name: 'a root without a type under an opt-out',
    why: 'A root that names something and has no type is the exception to its base.',
    consents: [optOut(to('hospital-b'))],
    asks: [
      { by: 'B', sees: 'all' },
      { by: 'R', sees: '' },
    ],
  },
  {
    name: 'a root without a type under an opt-in',
    why: 'The same the other way about.',
    consents: [optIn(to('hospital-b'))],
    asks: [
      { by: 'B', sees: '' },
      { by: 'R', sees: 'all' },
    ],
  },
  {
    name: 'a root of the type of its base',
    why: 'It permits specifically what is permitted anyway, which then outweighs another base that denies.',
    consents: [optIn(permit(to('hospital-b'))), optOut()],
    asks: [
      { by: 'B', sees: 'all' },
      { by: 'R', sees: '' },
    ],
  },
];

const SEVERAL: readonly ConsentCase[] = [
  {
    name: 'a specific refusal beside a specific permission',
    why: 'Across consents what is specifically denied comes first.',
    consents: [root(permit(to('hospital-b'))), root(deny(ofType('Observation')))],
    asks: [
      { by: 'B', sees: NOT_OBSERVATIONS },
      { by: 'A', sees: NOT_OBSERVATIONS },
    ],
  },
  {
    name: 'a specific permission beside an opt-out',
    why: 'What names somebody outweighs what names nobody.',
    consents: [optOut(), root(permit(to('hospital-b')))],
    asks: [
      { by: 'B', sees: 'all' },
      { by: 'R', sees: '' },
    ],
  },
  {
    name: 'a specific refusal beside an opt-in',
    why: 'The same for a refusal.',
    consents: [optIn(), root(deny(to('hospital-b')))],
    asks: [
      { by: 'B', sees: '' },
      { by: 'R', sees: 'all' },
    ],
  },
  {
    name: 'two permissions',
    why: 'Permissions add up.',
    consents: [
      root(permit(to('hospital-b'), ofType('Observation'))),
      root(permit(to('hospital-b'), ofType('Encounter'))),
    ],
    asks: [{ by: 'B', sees: 'hb hiv bare visit' }],
  },
  {
    name: 'two refusals',
    why: 'Refusals add up as well.',
    consents: [optIn(deny(ofType('Observation'))), optIn(deny(ofType('Encounter')))],
    asks: [{ by: 'B', sees: 'patient psych diabetes rx note' }],
  },
  {
    name: 'a permission that is deeper in another consent',
    why: 'Depth counts within one consent only.',
    consents: [root(deny(to('hospital-b'))), root(permit(ofType('Observation'), but(permit(to('hospital-b')))))],
    asks: [{ by: 'B', sees: '' }],
  },
  {
    name: 'an exception in one consent and a permission in the other',
    why: 'The exception is a specific refusal, and the other consent does not undo it.',
    consents: [root(permit(to('hospital-b'), but(deny(ofType('Observation'))))), root(permit(to('hospital-b')))],
    asks: [{ by: 'B', sees: NOT_OBSERVATIONS }],
  },
  {
    name: 'research beside an opt-out',
    why: 'Whoever opts out of everything may still consent to one research.',
    consents: [optOut(), { ...root(permit(forPurpose('HRESCH'))), ...RESEARCH }],
    asks: [
      { by: 'R', sees: 'all' },
      { by: 'B', sees: '' },
      { by: 'A', sees: 'all' },
    ],
  },
  {
    name: 'research, less what a second consent refuses to one institute',
    why: 'A refusal by name outweighs a permission by purpose.',
    consents: [{ ...root(permit(forPurpose('HRESCH'))), ...RESEARCH }, root(deny(to('research-institute')))],
    asks: [
      { by: 'R', sees: '' },
      { by: 'A research', sees: 'all' },
    ],
  },
  {
    name: 'a permission by year and one by type',
    why: 'A record needs one of them.',
    consents: [
      root(permit(to('hospital-b'), dated('2021'))),
      root(permit(to('hospital-b'), ofType('MedicationRequest'))),
    ],
    asks: [{ by: 'B', sees: 'hb hiv visit note rx' }],
  },
];

const SCOPES: readonly ConsentCase[] = [
  {
    name: 'scopes of some types',
    why: 'A consent gives nothing that the token does not cover.',
    consents: [optIn()],
    asks: [
      { by: 'B', scope: 'system/Observation.rs', sees: 'hb hiv bare' },
      { by: 'B', scope: 'system/Observation.rs system/Patient.rs', sees: 'patient hb hiv bare' },
      { by: 'B', scope: 'system/Observation.read', sees: 'hb hiv bare' },
      { by: 'B', scope: 'system/Location.rs', sees: '' },
    ],
  },
  {
    name: 'scopes by letter',
    why: 'To read needs r; whoever may search only, or write only, does not read.',
    consents: [optIn()],
    asks: [
      { by: 'B', scope: 'system/*.r', sees: 'all' },
      { by: 'B', scope: 'system/*.s', sees: '' },
      { by: 'B', scope: 'system/*.cud', sees: '' },
      { by: 'B', scope: 'system/*.write', sees: '' },
    ],
  },
  {
    name: 'granular scopes',
    why: 'A scope with search parameters covers what a search by them finds.',
    consents: [optIn()],
    asks: [
      {
        by: 'B',
        scope: `system/Observation.rs?category=${TERMINOLOGY}/observation-category|laboratory`,
        sees: 'hb hiv',
      },
      { by: 'B', scope: 'system/Observation.rs?category=laboratory', sees: 'hb hiv' },
      { by: 'B', scope: 'system/Observation.rs?code=http://loinc.org|718-7', sees: 'hb' },
      { by: 'B', scope: 'system/Observation.rs?code=718-7,7917-8', sees: 'hb hiv' },
      { by: 'B', scope: 'system/Observation.rs?category=laboratory&code=7917-8', sees: 'hiv' },
      { by: 'B', scope: `system/*.rs?_security=${TERMINOLOGY}/v3-Confidentiality|R`, sees: 'hiv psych' },
      { by: 'B', scope: 'system/Condition.rs?code=E11.9', sees: 'diabetes' },
      { by: 'B', scope: 'system/Condition.rs?code=E11', sees: '' },
      { by: 'B', scope: 'system/Encounter.rs?class=AMB system/DocumentReference.rs?type=11488-4', sees: 'visit note' },
      {
        by: 'B',
        scope: 'system/Observation.rs?category=laboratory system/Observation.rs?category=vital-signs',
        sees: 'hb hiv',
      },
    ],
  },
  {
    name: 'granular scopes of a person',
    why: 'They narrow the custodian and the patient as they narrow anyone.',
    consents: [],
    asks: [
      { by: 'Dr A', scope: 'user/Observation.rs?category=laboratory', sees: 'hb hiv' },
      { by: 'self', scope: 'patient/Observation.rs?code=718-7', sees: 'hb' },
      { by: 'self', scope: 'patient/Observation.r', sees: 'hb hiv bare' },
    ],
  },
  {
    name: 'a granular scope and a consent',
    why: 'Both must permit.',
    consents: [root(permit(to('hospital-b'), labelled('N')))],
    asks: [{ by: 'B', scope: 'system/Observation.rs?category=laboratory', sees: 'hb' }],
  },
];

/** Provisions in provisions, consents beside consents, and what the token itself covers. Longer than 300 lines: a table of cases. */
export const COMBINATION_CASES: readonly ConsentCase[] = [...NESTED, ...SEVERAL, ...SCOPES];
