import type { Device, Group, Organization, Patient, PractitionerRole, RelatedPerson } from '@medplum/fhirtypes';
import { LRUCache } from 'lru-cache';
import type { Names } from '../repository/names.ts';
import type { Principal, ResourceIdentity } from '../request-context.ts';
import type { ActorLookup, ActorRecord } from './actor-lookup.ts';
import { isOfAge } from './age.ts';
import { includes } from './match-provision.ts';
import { periodOf } from './periods.ts';
import { ALWAYS, type Interval } from './policy.ts';

/**
 * As whom a principal acts beside itself and its institution (DESIGN §7): what its own institution's directory says of
 * its user (roles, departments and those above them), the groups that any of these belong to, the device that a client
 * is, and whom a RelatedPerson represents. `{institution}/{Type}/{id}`.
 */
export interface ActingAs {
  /** @throws MedSealError `too-costly` when somebody acts as more than can be told */
  resolve(principal: Principal, instant: number): Promise<readonly string[]>;
}

/** Milliseconds that roles and groups are believed in, if nothing is heard of a change. */
const CACHED_FOR = 5000;
const MOST_LEVELS = 10;
/** Acts as this: staff with a role of this code may lower a label (label-keeper.ts). No consent can name it. */
export const LABEL_STEWARD = 'label steward';
const STAFF_ROLE = { system: 'https://medseal.org/fhir/CodeSystem/staff-role', code: 'label-steward' };
const CLIENT_ID = 'urn:ietf:rfc:6749:client_id';

/** Somebody, and when. */
interface Held {
  readonly name: string;
  readonly period: Interval;
}

/** @param onChange tells of every change to roles, departments, groups and devices, wherever it was made */
export async function createActingAs(
  lookup: ActorLookup,
  names: Names,
  onChange: (changed: () => void) => Promise<unknown>,
): Promise<ActingAs> {
  const { find, byName, refersTo, byIdentifier, nameOf } = lookup;
  const cache = new LRUCache<string, Promise<readonly Held[]>>({ max: 10_000, ttl: CACHED_FOR });
  await onChange(() => cache.clear());

  /** Roles of the user's own institution, which alone says who works for it as what. */
  async function rolesOf({
    institution,
    type,
    id,
  }: ResourceIdentity): Promise<readonly ActorRecord<PractitionerRole>[]> {
    const user = names.name(institution, type, id);
    if (type === 'PractitionerRole') return find<PractitionerRole>('PractitionerRole', institution, byName(user));
    if (type !== 'Practitioner') return [];
    return find<PractitionerRole>(
      'PractitionerRole',
      institution,
      refersTo('PractitionerRole', 'practitioner', [user]),
    );
  }

  /** The department and what it is part of, as far as that is the same institution's to say. */
  async function departments(start: string, institution: string): Promise<readonly string[]> {
    const found: string[] = [];
    let next: string | undefined = start;
    while (next?.startsWith(`${institution}/`) && !found.includes(next) && found.length < MOST_LEVELS) {
      const [organization]: readonly ActorRecord<Organization>[] = await find<Organization>(
        'Organization',
        institution,
        byName(next),
      );
      if (organization?.resource.active === false) break;
      found.push(next);
      next = nameOf(organization?.resource.partOf?.reference, institution);
    }
    return found;
  }

  async function heldByRole(
    { name, resource, institution }: ActorRecord<PractitionerRole>,
    user: ResourceIdentity,
  ): Promise<readonly Held[]> {
    const period = resource.active === false ? undefined : periodOf(resource.period);
    if (period === undefined) return [];
    const person = user.type === 'PractitionerRole' ? nameOf(resource.practitioner?.reference, institution) : undefined;
    const department = nameOf(resource.organization?.reference, institution);
    const above = department === undefined ? [] : await departments(department, institution);
    const steward = isSteward(resource) ? LABEL_STEWARD : undefined;
    return [name, person, steward, ...above].flatMap((one) => (one === undefined ? [] : [{ name: one, period }]));
  }

  async function device({ institution, clientId }: Principal): Promise<readonly Held[]> {
    const found = await find<Device>('Device', institution, byIdentifier('Device', CLIENT_ID, clientId));
    return found
      .filter(({ resource }) => resource.status === undefined || resource.status === 'active')
      .map(({ name }) => ({ name, period: ALWAYS }));
  }

  async function groups(members: readonly Held[]): Promise<readonly Held[]> {
    if (members.length === 0) return [];
    const criterion = refersTo(
      'Group',
      'member',
      members.map((one) => one.name),
    );
    const found = await find<Group>('Group', undefined, criterion);
    return found.flatMap(({ name, institution, resource }) => {
      if (resource.active === false || !resource.actual) return [];
      return (resource.member ?? []).flatMap(({ entity, period, inactive }) => {
        const member = members.find((one) => one.name === nameOf(entity?.reference, institution));
        const during = inactive === true ? undefined : periodOf(period);
        if (member === undefined || during === undefined) return [];
        const from = Math.max(during.from, member.period.from);
        return [{ name, period: { from, until: Math.min(during.until, member.period.until) } }];
      });
    });
  }

  async function heldBy(principal: Principal): Promise<readonly Held[]> {
    const { user, institution } = principal;
    const always = (name: string): Held => ({ name, period: ALWAYS });
    const itself = [
      always(names.name(institution, 'Organization', institution)),
      ...(user === undefined ? [] : [always(names.name(user.institution, user.type, user.id))]),
    ];
    const roles =
      user === undefined
        ? await device(principal)
        : (await Promise.all((await rolesOf(user)).map((role) => heldByRole(role, user)))).flat();
    return [...roles, ...(await groups([...itself, ...roles]))];
  }

  /** Looked up for each request: whom somebody represents may end at any moment. */
  async function represents(user: ResourceIdentity, instant: number): Promise<readonly string[]> {
    const name = names.name(user.institution, 'RelatedPerson', user.id);
    const [person] = await find<RelatedPerson>('RelatedPerson', user.institution, byName(name));
    const period = person?.resource.active === false ? undefined : periodOf(person?.resource.period);
    const patient = nameOf(person?.resource.patient?.reference, user.institution);
    if (period === undefined || patient === undefined || !includes(period, instant)) return [];
    const [represented] = await find<Patient>('Patient', user.institution, byName(patient));
    const isMinor = represented !== undefined && isOfAge(represented.resource, instant) === false;
    return [name, `proxy ${name}`, ...(isMinor ? [`guardian ${name}`] : [])];
  }

  return {
    async resolve(principal, instant) {
      const { user, institution, clientId } = principal;
      if (user?.type === 'RelatedPerson') return represents(user, instant);
      if (user?.type === 'Patient' || principal.administrator) return [];
      const key = JSON.stringify([institution, user ?? clientId]);
      const known = cache.get(key);
      const found = known ?? heldBy(principal);
      if (known === undefined) {
        cache.set(key, found);
        found.catch(() => cache.delete(key));
      }
      return [...new Set((await found).filter(({ period }) => includes(period, instant)).map(({ name }) => name))];
    },
  };
}

function isSteward({ code = [] }: PractitionerRole): boolean {
  const codings = code.flatMap(({ coding = [] }) => coding);
  return codings.some(({ system, code: one }) => system === STAFF_ROLE.system && one === STAFF_ROLE.code);
}
