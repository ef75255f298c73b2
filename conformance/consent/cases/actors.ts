import {
  but,
  by,
  type ConsentCase,
  deny,
  doing,
  during,
  labelled,
  ofType,
  optIn,
  optOut,
  permit,
  root,
  to,
} from './kit.ts';

/** Born so many years ago, less or more some days. */
function born(years: number, days = 0): string {
  const day = new Date(Date.now() + days * 86_400_000);
  day.setUTCFullYear(day.getUTCFullYear() - years);
  return day.toISOString().slice(0, 10);
}

const ACTORS: readonly ConsentCase[] = [
  {
    name: 'to an institution',
    why: 'Its systems and its staff are the institution.',
    consents: [root(permit(to('hospital-b')))],
    asks: [
      { by: 'B', sees: 'all' },
      { by: 'Dr B', sees: 'all' },
      { by: 'Nurse B', sees: 'all' },
      { by: 'Device B', sees: 'all' },
      { by: 'R', sees: '' },
    ],
  },
  {
    name: 'to two institutions',
    why: 'Several actors are alternatives.',
    consents: [root(permit(to('hospital-b', 'research-institute')))],
    asks: [
      { by: 'B', sees: 'all' },
      { by: 'R', sees: 'all' },
      { by: 'A research', sees: '' },
    ],
  },
  {
    name: 'to a practitioner',
    why: 'The person alone, not their colleagues, nor the hospital’s systems.',
    consents: [root(permit(to('b:Practitioner/dr-b')))],
    asks: [
      { by: 'Dr B', sees: 'all' },
      { by: 'Nurse B', sees: '' },
      { by: 'B', sees: '' },
    ],
  },
  {
    name: 'to a practitioner of the same name elsewhere',
    why: 'A person is one of an institution.',
    consents: [root(permit(to('Practitioner/dr-b')))],
    asks: [
      { by: 'Dr B', sees: '' },
      { by: 'B', sees: '' },
    ],
  },
  {
    name: 'to a role',
    why: 'Whoever holds the role now, as the directory of their institution says.',
    consents: [root(permit(to('b:PractitionerRole/cardiologist-b')))],
    asks: [
      { by: 'Dr B', sees: 'all' },
      { by: 'Nurse B', sees: '' },
      { by: 'B', sees: '' },
    ],
  },
  {
    name: 'to a department',
    why: 'Whoever has a role in it.',
    consents: [root(permit(to('b:Organization/ward-b')))],
    asks: [
      { by: 'Dr B', sees: 'all' },
      { by: 'Nurse B', sees: '' },
      { by: 'B', sees: '' },
    ],
  },
  {
    name: 'to what a department is part of',
    why: 'A ward is part of its clinic.',
    consents: [root(permit(to('b:Organization/clinic-b')))],
    asks: [
      { by: 'Dr B', sees: 'all' },
      { by: 'Nurse B', sees: '' },
    ],
  },
  {
    name: 'to a department where a role has ended',
    why: 'Who worked there once works there no more.',
    consents: [root(permit(to('b:Organization/oncology-b')))],
    asks: [
      { by: 'Nurse B', sees: '' },
      { by: 'Dr B', sees: '' },
    ],
  },
  {
    name: 'to a group',
    why: 'Whoever is a member now; who has left is not.',
    consents: [root(permit(to('b:Group/board-b')))],
    asks: [
      { by: 'Dr B', sees: 'all' },
      { by: 'Nurse B', sees: '' },
      { by: 'B', sees: '' },
    ],
  },
  {
    name: 'to a device',
    why: 'The client that the device’s record names.',
    consents: [root(permit(to('b:Device/pump-b')))],
    asks: [
      { by: 'Device B', sees: 'all' },
      { by: 'B', sees: '' },
    ],
  },
  {
    name: 'not to a practitioner',
    why: 'A colleague one does not want to be seen by, even at the custodian.',
    consents: [root(deny(to('Practitioner/dr-a')))],
    asks: [
      { by: 'Dr A', sees: '' },
      { by: 'A', sees: 'all' },
    ],
  },
  {
    name: 'not to a role',
    why: 'A deny by role reaches whoever holds it, and them alone.',
    consents: [optIn(deny(to('b:PractitionerRole/cardiologist-b')))],
    asks: [
      { by: 'Dr B', sees: '' },
      { by: 'Nurse B', sees: 'all' },
      { by: 'B', sees: 'all' },
    ],
  },
  {
    name: 'to a hospital but not to one of its departments',
    why: 'The exception is for those who have a role in it.',
    consents: [root(permit(to('hospital-b'), but(deny(to('b:Organization/clinic-b')))))],
    asks: [
      { by: 'Dr B', sees: '' },
      { by: 'Nurse B', sees: 'all' },
      { by: 'B', sees: 'all' },
    ],
  },
  {
    name: 'not to a group',
    why: 'Membership counts in a deny as it does in a permit.',
    consents: [optIn(deny(to('b:Group/board-b')))],
    asks: [
      { by: 'Dr B', sees: '' },
      { by: 'Nurse B', sees: 'all' },
    ],
  },
  {
    name: 'not to the custodian',
    why: 'A deny that names the custodian takes its default; the patient keeps everything.',
    consents: [root(deny(to('hospital-a')))],
    asks: [
      { by: 'A', sees: '' },
      { by: 'Dr A', sees: '' },
      { by: 'self', sees: 'all' },
    ],
  },
  {
    name: 'to an organization that nobody is of',
    why: 'A name that no requester bears permits nobody.',
    consents: [root(permit(to('Organization/nowhere')))],
    asks: [
      { by: 'B', sees: '' },
      { by: 'R', sees: '' },
    ],
  },
];

const REPRESENTATIVES: readonly ConsentCase[] = [
  {
    name: 'no representative without a consent',
    why: 'That somebody is a relative is in the record; that they may read must be said.',
    consents: [optOut()],
    asks: [{ by: 'father', sees: '' }],
  },
  {
    name: 'the guardian of a child',
    why: 'A guardian reads as the child would.',
    consents: [root(permit(by('GUARD')))],
    birthDate: born(9),
    asks: [
      { by: 'father', sees: 'all' },
      { by: 'B', sees: '' },
      { by: 'A', sees: 'all' },
    ],
  },
  {
    name: 'the guardian of an adult',
    why: 'Guardianship of a child ends by itself when the child is of age.',
    consents: [root(permit(by('GUARD')))],
    birthDate: '1980-01-01',
    asks: [
      { by: 'father', sees: '' },
      { by: 'self', sees: 'all' },
    ],
  },
  {
    name: 'the guardian the day before the birthday',
    why: 'Until the eighteenth birthday begins.',
    consents: [root(permit(by('GUARD')))],
    birthDate: born(18, 2),
    asks: [{ by: 'father', sees: 'all' }],
  },
  {
    name: 'the guardian after the birthday',
    why: 'From then on no more.',
    consents: [root(permit(by('GUARD')))],
    birthDate: born(18, -1),
    asks: [{ by: 'father', sees: '' }],
  },
  {
    name: 'the guardian of a child whose birthday is not told in full',
    why: 'What might be over is over: a year alone counts from its first day.',
    consents: [root(permit(by('GUARD')))],
    birthDate: born(18).slice(0, 4),
    asks: [{ by: 'father', sees: '' }],
  },
  {
    name: 'an attorney for health care',
    why: 'A power of attorney does not end with age.',
    consents: [root(permit(by('HPOWATT')))],
    asks: [{ by: 'father', sees: 'all' }],
  },
  {
    name: 'an attorney whose power has ended',
    why: 'A delegation ends by its date.',
    consents: [root(permit(by('HPOWATT'), during('2001', '2020')))],
    asks: [{ by: 'father', sees: '' }],
  },
  {
    name: 'an attorney for laboratory results',
    why: 'A delegation is as wide as its provision.',
    consents: [root(permit(by('HPOWATT'), ofType('Observation')))],
    asks: [{ by: 'father', sees: 'hb hiv bare' }],
  },
  {
    name: 'an attorney for everything but psychiatry',
    why: 'And has its exceptions.',
    consents: [root(permit(by('HPOWATT'), but(deny(labelled('PSY')))))],
    asks: [{ by: 'father', sees: 'patient hb hiv diabetes visit rx note' }],
  },
  {
    name: 'an attorney who may only correct',
    why: 'Writing is not reading.',
    consents: [root(permit(by('HPOWATT'), doing('correct')))],
    asks: [{ by: 'father', sees: '' }],
  },
  {
    name: 'a representative whom what is denied to everyone does not reach',
    why: 'They read as the patient does, whom no deny reaches.',
    consents: [root(permit(by('HPOWATT'))), root(deny(ofType('Observation')))],
    asks: [
      { by: 'father', sees: 'all' },
      { by: 'A', sees: 'patient psych diabetes visit rx note' },
    ],
  },
  {
    name: 'a representative who is denied by name',
    why: 'What is addressed to them is heard, whatever else lets them act.',
    consents: [root(permit(by('HPOWATT'))), root(deny(to('RelatedPerson/@-father'), labelled('PSY')))],
    asks: [{ by: 'father', sees: 'patient hb hiv diabetes visit rx note' }],
  },
  {
    name: 'a representative of somebody else',
    why: 'The name in the consent must be theirs.',
    consents: [root(permit(by('HPOWATT', 'RelatedPerson/@-mother')))],
    asks: [{ by: 'father', sees: '' }],
  },
  {
    name: 'a relative whose relation has ended',
    why: 'The record of the relation is read with each request; inactive, they are nobody.',
    consents: [root(permit(by('HPOWATT', 'RelatedPerson/@-former'))), root(permit(to('RelatedPerson/@-former')))],
    asks: [{ by: 'former', sees: '' }],
  },
  {
    name: 'a relative as a mere recipient',
    why: 'A recipient is permitted what the provision says, as anyone is.',
    consents: [root(permit(to('RelatedPerson/@-father'), ofType('Encounter')))],
    asks: [{ by: 'father', sees: 'visit' }],
  },
];

/** Who is permitted or denied. */
export const ACTOR_CASES: readonly ConsentCase[] = [...ACTORS, ...REPRESENTATIVES];
