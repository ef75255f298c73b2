import { type ConsentCase, concept, deny, during, optIn, optOut, permit, root, TERMINOLOGY, to } from './kit.ts';

const scope = (code: string) => ({ scope: concept(`${TERMINOLOGY}/consentscope`, code) });
const NOBODY_ELSE = [
  { by: 'A', sees: 'all' },
  { by: 'B', sees: '' },
  { by: 'R', sees: '' },
] as const;
const EVERYONE = [
  { by: 'B', sees: 'all' },
  { by: 'R', sees: 'all' },
  { by: 'A research', sees: 'all' },
] as const;

/** What holds before anything is said about particular records. */
export const BASE_CASES: readonly ConsentCase[] = [
  {
    name: 'no consent',
    why: 'The custodian treats from its own records; nobody else has any business with them.',
    consents: [],
    asks: [
      ...NOBODY_ELSE,
      { by: 'self', sees: 'all' },
      { by: 'Dr A', sees: 'all' },
      { by: 'A research', sees: '' },
      { by: 'A silent', sees: '' },
      { by: 'B silent', sees: '' },
      { by: 'B emergency', sees: '' },
    ],
  },
  {
    name: 'opt-in',
    why: 'A base permit is for everyone and everything, whatever the purpose.',
    consents: [optIn()],
    asks: [...EVERYONE, { by: 'B silent', sees: 'all' }, { by: 'A silent', sees: 'all' }],
  },
  {
    name: 'opt-out',
    why: 'A base deny takes nothing from the treating custodian, and gives nobody anything.',
    consents: [optOut()],
    asks: [...NOBODY_ELSE, { by: 'A research', sees: '' }, { by: 'self', sees: 'all' }],
  },
  {
    name: 'a bare root that permits',
    why: 'Without a policyRule the type of a root that names nothing is the base.',
    consents: [root(permit())],
    asks: EVERYONE,
  },
  {
    name: 'a bare root that denies',
    why: 'The same for a deny: the base is denied, the custodian keeps its default.',
    consents: [root(deny())],
    asks: NOBODY_ELSE,
  },
  {
    name: 'opt-in said twice over',
    why: 'A root that agrees with its policyRule adds nothing.',
    consents: [optIn(permit())],
    asks: EVERYONE,
  },
  ...(['draft', 'proposed', 'rejected', 'inactive', 'entered-in-error'] as const).map(
    (status): ConsentCase => ({
      name: `opt-in, ${status}`,
      why: `Only an active Consent speaks; one that is ${status} gives nothing.`,
      consents: [{ ...optIn(), status }],
      asks: NOBODY_ELSE,
    }),
  ),
  ...(['draft', 'inactive', 'entered-in-error'] as const).map(
    (status): ConsentCase => ({
      name: `opt-in beside a deny that is ${status}`,
      why: `A deny that is ${status} takes nothing either.`,
      consents: [optIn(), { ...root(deny(to('hospital-b'))), status }],
      asks: EVERYONE,
    }),
  ),
  {
    name: 'opt-in for treatment',
    why: 'A consent to be treated says nothing of who may read records.',
    consents: [{ ...optIn(), ...scope('treatment') }],
    asks: NOBODY_ELSE,
  },
  {
    name: 'an advance directive',
    why: 'What shall be done at the end of life is no permission to read.',
    consents: [{ ...optIn(), ...scope('adr') }],
    asks: NOBODY_ELSE,
  },
  {
    name: 'opt-in to research',
    why: 'Scope research compiles as patient-privacy does; whom it is for the provisions say.',
    consents: [{ ...optIn(), ...scope('research') }],
    asks: EVERYONE,
  },
  {
    name: 'a refusal of treatment beside an opt-in',
    why: 'A deny of scope treatment is about treatment, so it takes no permission away.',
    consents: [optIn(), { ...root(deny(to('hospital-b'))), ...scope('treatment') }],
    asks: EVERYONE,
  },
  {
    name: 'opt-in from a day to come',
    why: 'Before its period a consent does not speak.',
    consents: [optIn(during('2190-01-01'))],
    asks: NOBODY_ELSE,
  },
  {
    name: 'opt-in until a day gone by',
    why: 'After its period it speaks no more.',
    consents: [optIn(during('2001', '2020-12-31'))],
    asks: NOBODY_ELSE,
  },
  {
    name: 'opt-in within its period',
    why: 'Within its period it does.',
    consents: [optIn(during('2001', '2190'))],
    asks: EVERYONE,
  },
  {
    name: 'opt-in since a day gone by',
    why: 'A period without an end goes on.',
    consents: [optIn(during('2001-02-03'))],
    asks: EVERYONE,
  },
  {
    name: 'opt-in until a day to come',
    why: 'A period without a start began long ago.',
    consents: [optIn(during(undefined, '2190-01-01T00:00:00Z'))],
    asks: EVERYONE,
  },
  {
    name: 'opt-out from a day to come beside an opt-in',
    why: 'What will be denied is not denied yet.',
    consents: [optIn(), optOut(during('2190'))],
    asks: EVERYONE,
  },
  {
    name: 'opt-out until a day gone by beside an opt-in',
    why: 'What was denied is no longer.',
    consents: [optIn(), optOut(during('2001', '2002'))],
    asks: EVERYONE,
  },
  {
    name: 'a specific permit within a period to come',
    why: 'A period limits a rule that names somebody as it limits a base.',
    consents: [root(permit(to('hospital-b'), during('2190')))],
    asks: NOBODY_ELSE,
  },
  {
    name: 'opt-in and opt-out',
    why: 'Of two bases that differ the deny holds: nobody must guess which came last.',
    consents: [optIn(), optOut()],
    asks: NOBODY_ELSE,
  },
  {
    name: 'opt-in twice',
    why: 'Saying it twice says it once.',
    consents: [optIn(), optIn()],
    asks: EVERYONE,
  },
  {
    name: 'an opt-out that was withdrawn beside an opt-in',
    why: 'An inactive Consent is a withdrawn one.',
    consents: [optIn(), { ...optOut(), status: 'inactive' }],
    asks: EVERYONE,
  },
];
