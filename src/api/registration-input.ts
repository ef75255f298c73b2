import type { ClientRegistration } from '../auth/client-registration.ts';
import { MedSealError } from '../errors.ts';

type Check = readonly [holds: (value: unknown) => boolean, kind: string];

const TEXT: Check = [(value) => typeof value === 'string', 'text'];
const TEXTS: Check = [(value) => Array.isArray(value) && value.every(TEXT[0]), 'a list of texts'];
const OBJECT: Check = [(value) => typeof value === 'object' && value !== null && !Array.isArray(value), 'an object'];
const FLAG: Check = [(value) => typeof value === 'boolean', 'true or false'];

const MEMBERS: Readonly<Record<keyof ClientRegistration, Check>> = {
  id: TEXT,
  institution: TEXT,
  jwks: OBJECT,
  jwksUri: TEXT,
  purposes: TEXTS,
  scopes: TEXTS,
  patient: TEXT,
  practitioner: TEXT,
  relatedPerson: TEXT,
  administrator: FLAG,
};
const REQUIRED: readonly string[] = ['id', 'institution', 'purposes', 'scopes'] satisfies (keyof ClientRegistration)[];

/** The body of `POST /admin/clients`; what its members mean is for the registry to judge. @throws MedSealError `invalid-parameter` */
export function registrationOf(body: unknown): ClientRegistration {
  if (!OBJECT[0](body)) throw invalid('The registration', 'must be an object');
  const given = body as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(MEMBERS, name)) throw invalid(name, 'is not a member of a registration');
  }
  for (const [name, [holds, kind]] of Object.entries(MEMBERS)) {
    const value = given[name];
    if (value === undefined ? REQUIRED.includes(name) : !holds(value)) throw invalid(name, `must be ${kind}`);
  }
  return given as unknown as ClientRegistration;
}

function invalid(name: string, why: string): MedSealError {
  return new MedSealError('invalid-parameter', `${name} ${why}`, { expression: name });
}
