import type { ConsentProvision } from '@medplum/fhirtypes';
import {
  about,
  but,
  by,
  concept,
  data,
  dated,
  deny,
  doing,
  during,
  forPurpose,
  ofProfile,
  ofType,
  optIn,
  permit,
  type RefusedCase,
  root,
  TERMINOLOGY,
  to,
} from './kit.ts';

const P = 'Consent.provision';
const actor = (role: object | undefined, reference: object) =>
  ({ actor: [{ role, reference }] }) as unknown as ConsentProvision;
const recipient = concept(`${TERMINOLOGY}/v3-ParticipationType`, 'IRCP');

/** Whatever cannot be enforced in full is refused when it is written, and the element named. */
export const REFUSED_CASES: readonly RefusedCase[] = [
  {
    name: 'neither base nor type',
    why: 'Nobody can tell whether it permits or denies.',
    consent: root({ ...to('hospital-b') }),
    expression: `${P}.type`,
  },
  {
    name: 'a root that contradicts its rule',
    why: 'Opt-in and a deny of everything cannot both be meant.',
    consent: optIn(deny()),
    expression: `${P}.type`,
  },
  {
    name: 'a policyRule of words',
    why: 'What it says is for lawyers to read.',
    consent: { ...root(permit()), policyRule: { text: 'as agreed' } },
    expression: 'Consent.policyRule',
  },
  {
    name: 'another policyRule',
    why: 'Only OPTIN and OPTOUT have a meaning here.',
    consent: { policyRule: concept(`${TERMINOLOGY}/v3-ActCode`, 'HIPAA-Auth') },
    expression: 'Consent.policyRule',
  },
  {
    name: 'an exception without a type',
    why: 'Whether it permits or denies must be said.',
    consent: root(permit(to('hospital-b'), but({ ...ofType('Observation') }))),
    expression: `${P}.provision[0].type`,
  },
  {
    name: 'an unknown scope',
    why: 'Whether it is about records is not known.',
    consent: { ...optIn(), scope: { text: 'records' } },
    expression: 'Consent.scope',
  },
  {
    name: 'an actor by identifier',
    why: 'Who bears an identifier is not looked up.',
    consent: root(permit(actor(recipient, { identifier: { value: '1' } }))),
    expression: `${P}.actor[0].reference`,
  },
  {
    name: 'an actor elsewhere',
    why: 'Nobody of another node asks here.',
    consent: root(permit(actor(recipient, { reference: 'https://elsewhere.example/fhir/Practitioner/1' }))),
    expression: `${P}.actor[0].reference`,
  },
  {
    name: 'a care team',
    why: 'Who is of a care team is not resolved.',
    consent: root(permit(actor(recipient, { reference: 'CareTeam/1' }))),
    expression: `${P}.actor[0].reference`,
  },
  {
    name: 'an actor without a role',
    why: 'As what they act must be said.',
    consent: root(permit(actor(undefined, { reference: 'Practitioner/1' }))),
    expression: `${P}.actor[0].role`,
  },
  {
    name: 'a representative from another base',
    why: 'Who is related to whom is kept with the patient.',
    consent: root(permit(by('HPOWATT', '%B%/RelatedPerson/r'))),
    expression: `${P}.actor[0].reference`,
  },
  {
    name: 'a deny to a representative as such',
    why: 'A representation is ended, not denied.',
    consent: optIn(deny(by('GUARD'))),
    expression: `${P}.actor`,
  },
  {
    name: 'collecting',
    why: 'What an institution writes at its own base no consent decides.',
    consent: root(deny(doing('collect'))),
    expression: `${P}.action[0].coding[0]`,
  },
  {
    name: 'correcting by an institution',
    why: 'Only a representative is let write.',
    consent: root(permit(to('hospital-b'), doing('correct'))),
    expression: `${P}.action[0].coding[0]`,
  },
  {
    name: 'an unknown purpose',
    why: 'It could never match.',
    consent: root(permit(forPurpose('FUN'))),
    expression: `${P}.purpose[0]`,
  },
  {
    name: 'a profile with a version',
    why: 'Versions of profiles are not told apart.',
    consent: root(permit(ofProfile('http://example.org/profile/note|2'))),
    expression: `${P}.class[0]`,
  },
  {
    name: 'an unknown type',
    why: 'It is neither a resource type nor a profile.',
    consent: root(permit(ofType('Tricorder'))),
    expression: `${P}.class[0]`,
  },
  {
    name: 'a code in words',
    why: 'Words are not compared.',
    consent: root(permit({ code: [{ text: 'blood' }] })),
    expression: `${P}.code[0]`,
  },
  {
    name: 'a code without its system',
    why: 'Without its system it could be any code.',
    consent: root(permit(about(undefined as unknown as string, '718-7'))),
    expression: `${P}.code[0].coding[0]`,
  },
  {
    name: 'a label without its system',
    why: 'Without its system it could be any code.',
    consent: root(permit({ securityLabel: [{ code: 'R' }] })),
    expression: `${P}.securityLabel[0]`,
  },
  {
    name: 'related data',
    why: 'What is related is not known.',
    consent: optIn(deny(data('related', 'Encounter/@-visit'))),
    expression: `${P}.data[0].meaning`,
  },
  {
    name: 'dependent data',
    why: 'What depends on it is not known.',
    consent: optIn(deny(data('dependents', 'Encounter/@-visit'))),
    expression: `${P}.data[0].meaning`,
  },
  {
    name: 'one version of a record',
    why: 'A consent is about a record, not about one of its versions.',
    consent: optIn(deny(data('instance', 'Encounter/@-visit/_history/1'))),
    expression: `${P}.data[0].reference`,
  },
  {
    name: 'data of a time of day',
    why: 'Data are told apart by days.',
    consent: root(permit(dated('2023-03-01T10:00:00Z'))),
    expression: `${P}.dataPeriod.start`,
  },
  {
    name: 'a period that ends before it begins',
    why: 'It never holds, which nobody means.',
    consent: root(permit(during('2023', '2022'))),
    expression: `${P}.period`,
  },
  {
    name: 'a modifier',
    why: 'What it changes is not known.',
    consent: root({ ...permit(), modifierExtension: [{ url: 'urn:x', valueBoolean: true }] } as ConsentProvision),
    expression: `${P}.modifierExtension`,
  },
];
