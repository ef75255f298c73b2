import { VISIBILITY_PATIENTS } from './visibility.ts';
import { NOW } from './world.ts';

/** Who asks of the fixed world of visibility.ts, and what they must see of it. */
export interface Question {
  readonly who: string;
  readonly institution?: string;
  readonly scopes?: string;
  readonly purposes?: readonly string[];
  /** The patient whose token it is. */
  readonly patient?: string;
  /** Who uses it, where it is not the patient: a Practitioner, or `Type/id`. */
  readonly user?: string;
  /** As whom else they act. */
  readonly actingAs?: readonly string[];
  /** Whom the token is limited to. */
  readonly compartment?: readonly string[];
  readonly emergency?: boolean;
  readonly instant?: number;
  readonly sees: readonly string[];
  /** Entries of the access trail. */
  readonly trail: readonly string[];
}

/** Consents whose base permits everyone, whoever asks for whatever. */
const OPEN = ['open', 'laboratory', 'no-marketing', 'not-encounters', 'from-now', 'no-emergency'];
const FOR_B = ['for-b', 'exception-permits', 'deep-permit-beside-no-emergency'];
const OF_OPEN = ['lost-readers', 'now-denied'];
const TRAIL_A = ['trail-a', 'trail-a-nobody'];
const TRAIL_B = ['trail-b'];
const EVERYONE = Object.keys(VISIBILITY_PATIENTS);
/** Specific denies that reach the custodian. */
const OBSERVATIONS_DENIED = [
  'ward',
  'ward-but-not-of-father',
  ...['not-observations', 'exception-permits', 'siblings-tie', 'siblings-of-unequal-weight', 'deny-beside-open'],
];

const GLASS = [
  'none',
  'shut',
  'not-for-b',
  'no-emergency',
  'no-emergency-but-for-b',
  'siblings-tie',
  'deep-permit-beside-no-emergency',
];

export const QUESTIONS: readonly Question[] = [
  {
    who: 'another hospital that treats',
    sees: [...OPEN, ...FOR_B, ...OF_OPEN, 'location'],
    trail: TRAIL_B,
  },
  {
    who: 'a research institute',
    institution: 'research',
    purposes: ['HRESCH'],
    sees: [...OPEN, 'not-for-b', 'research-on-observations', 'shallow-deny-deep-permit', ...OF_OPEN, 'location'],
    trail: [],
  },
  {
    who: 'the custodian that treats',
    institution: 'hospital-a',
    sees: [
      ...EVERYONE.filter((name) => !OBSERVATIONS_DENIED.includes(name)),
      ...['of-open-and-none', 'of-open-and-shut', 'of-somebody', 'laboratory', ...OF_OPEN, 'group', 'location'],
    ],
    trail: TRAIL_A,
  },
  {
    who: 'the custodian that does research',
    institution: 'hospital-a',
    purposes: ['HRESCH'],
    sees: [
      ...OPEN,
      'not-for-b',
      'research-on-observations',
      'shallow-deny-deep-permit',
      ...OF_OPEN,
      'group',
      'location',
    ],
    trail: TRAIL_A,
  },
  {
    who: 'a token without a purpose',
    purposes: [],
    sees: ['open', 'laboratory', 'not-encounters', 'from-now', ...FOR_B, ...OF_OPEN, 'location'],
    trail: TRAIL_B,
  },
  {
    who: 'a marketing company',
    institution: 'research',
    purposes: ['HMARKT'],
    sees: [
      ...OPEN.filter((name) => name !== 'no-marketing'),
      'not-for-b',
      'shallow-deny-deep-permit',
      ...OF_OPEN,
      'location',
    ],
    trail: [],
  },
  {
    who: 'a patient',
    institution: 'hospital-a',
    patient: 'none',
    scopes: 'patient/*.rs',
    sees: ['none', 'of-open-and-none', 'location'],
    trail: ['trail-a'],
  },
  { who: 'a token for locations', scopes: 'system/Location.rs', sees: ['location'], trail: [] },
  {
    who: 'a token for the trail',
    institution: 'hospital-a',
    scopes: 'system/AuditEvent.rs',
    sees: [],
    trail: TRAIL_A,
  },
  {
    who: 'a token for laboratory results',
    scopes: 'system/Observation.rs?category=urn:category|laboratory',
    sees: ['laboratory'],
    trail: [],
  },
  {
    who: 'a token for laboratory results of any system, or for vital signs',
    scopes: 'system/Observation.rs?category=vital-signs,laboratory system/Location.rs',
    sees: ['laboratory', 'location'],
    trail: [],
  },
  {
    who: 'a token for what has both a category and a label',
    scopes: 'system/Observation.rs?category=laboratory&_security=urn:x|y',
    sees: [],
    trail: [],
  },
  {
    who: 'a token for conditions that bear a label',
    scopes: 'system/Condition.rs?_security=urn:label|mine',
    sees: [],
    trail: [],
  },
  {
    who: 'a token for everything with a label that nothing bears',
    scopes: 'system/*.rs?_security=urn:x|y',
    sees: [],
    trail: [],
  },
  {
    who: 'a token that is restricted by what cannot be enforced',
    scopes: 'system/Observation.rs?value-quantity=5',
    sees: [],
    trail: [],
  },
  {
    who: 'a doctor with one patient open, and scopes for something else beside',
    institution: 'hospital-a',
    patient: 'none',
    user: 'Practitioner/dr-1',
    scopes: 'patient/*.rs user/Basic.rs',
    sees: ['none', 'of-open-and-none', 'location'],
    trail: [],
  },
  {
    who: 'a patient with the record of another open',
    institution: 'hospital-a',
    patient: 'open',
    user: 'Patient/none',
    scopes: 'patient/*.rs',
    sees: ['open', 'laboratory', 'of-open-and-none', ...OF_OPEN, 'location'],
    trail: [],
  },
  {
    who: 'a doctor with one patient open',
    institution: 'hospital-a',
    patient: 'none',
    user: 'Practitioner/dr-1',
    scopes: 'patient/*.rs',
    sees: ['none', 'of-open-and-none', 'location'],
    trail: [],
  },
  {
    who: 'a guardian of two children, one of whom may not be of him',
    institution: 'hospital-a',
    user: 'RelatedPerson/father',
    patient: 'ward',
    compartment: ['ward', 'ward-but-not-of-father'],
    actingAs: ['hospital-a/RelatedPerson/father', 'guardian hospital-a/RelatedPerson/father'],
    scopes: 'patient/*.rs',
    sees: ['ward', 'location'],
    trail: [],
  },
  {
    who: 'the same when the children are of age',
    institution: 'hospital-a',
    user: 'RelatedPerson/father',
    patient: 'ward',
    compartment: ['ward', 'ward-but-not-of-father'],
    actingAs: ['hospital-a/RelatedPerson/father'],
    scopes: 'patient/*.rs',
    sees: ['location'],
    trail: [],
  },
  { who: 'a token for nothing', scopes: 'system/Observation.c', sees: [], trail: [] },
  {
    who: 'another hospital that broke the glass',
    purposes: ['ETREAT'],
    compartment: GLASS,
    emergency: true,
    sees: [...GLASS.filter((name) => name !== 'no-emergency'), 'of-open-and-none', 'of-open-and-shut', 'location'],
    trail: [],
  },
  {
    who: 'another hospital that is limited to some, without breaking the glass',
    compartment: GLASS,
    sees: ['no-emergency', 'deep-permit-beside-no-emergency', 'location'],
    trail: [],
  },
  {
    who: 'another hospital a minute earlier',
    instant: NOW - 60_000,
    sees: [...OPEN.filter((name) => name !== 'from-now'), 'until-now', ...FOR_B, ...OF_OPEN, 'location'],
    trail: TRAIL_B,
  },
];
