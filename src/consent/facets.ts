import { calendarCells, coverFrom, coverUpTo } from '../fhir/search/calendar.ts';
import { purposeAndAncestors } from '../fhir/terminology/purpose-of-use.ts';
import type { AccessRequest } from './decide.ts';
import { type RecordCoding, type RecordFacts, type Told, UNKNOWN_PATIENT } from './facts.ts';
import { coveredLabels, isConfidentiality } from './labels.ts';
import type { Coding, DataReference, Effect, Interval, Provision, RecordClass } from './policy.ts';

/**
 * Facets are what a consent rule can ask, as short texts: of a record (`is type …`, `may code …`, `open code`), and of
 * who asks (`actor …`). Outside the server they exist only as keyed tokens. A rule matches when each of its conditions
 * shares a facet with the record and the principal together: those of permits ask what a record `is`, those of denies
 * also what it `may` be and leaves `open`, as `match-provision.ts` does.
 */
export type Facet = string;

const MS_PER_DAY = 86_400_000;

/** A record's facets: fixed for a version, stored with it. None where no patient could ever consent. */
export function recordFacets(record: RecordFacts): readonly Facet[] {
  if (record.patients.every((patient) => patient === UNKNOWN_PATIENT)) return [];
  return [
    ...toldFacets('type', record.types, asWritten),
    ...toldFacets('name', record.names, asWritten),
    ...toldFacets('profile', record.profiles, asWritten),
    ...toldFacets('confidentiality', record.confidentiality, codingText),
    ...toldFacets('tag', record.tags, codingText),
    ...toldFacets('code', record.codes, codingText),
    ...toldFacets('author', record.authors, asWritten),
    ...dateFacets(record.dates),
  ];
}

/** The principal's facets for one request. */
export function principalFacets(request: AccessRequest): readonly Facet[] {
  return [
    `action ${request.action}`,
    ...request.actors.map((actor) => `actor ${actor}`),
    ...(request.purposes.length === 0 ? [open('purpose')] : []),
    ...new Set(request.purposes.flatMap(purposeAndAncestors).map((purpose) => `purpose ${purpose}`)),
  ];
}

/** One provision's own conditions: each is a list of facets of which one must be there. */
export function provisionConditions(provision: Provision, effect: Effect): readonly (readonly Facet[])[] {
  const { actors, actions, purposes, labels, classes, codes, dataPeriod, data } = provision;
  const conditions = [
    actors?.map((actor) => `actor ${actor}`),
    actions?.map((action) => `action ${action}`),
    purposes && [...purposes.map((purpose) => `purpose ${purpose}`), ...(effect === 'deny' ? [open('purpose')] : [])],
    classes?.flatMap((wanted) => wantedClass(wanted, effect)),
    codes?.flatMap((wanted) => wantedCodings('code', [wanted], effect)),
    labels?.flatMap((wanted) => wantedLabel(wanted, effect)),
    ...(dataPeriod === undefined ? [] : wantedDates(dataPeriod, effect)),
    data?.flatMap((wanted) => wantedData(wanted, effect)),
  ];
  return conditions.filter((condition) => condition !== undefined).map((condition) => [...new Set(condition)]);
}

type Kind = 'type' | 'name' | 'profile' | 'confidentiality' | 'tag' | 'code' | 'author';

function open(kind: Kind | 'date' | 'purpose'): Facet {
  return `open ${kind}`;
}

function toldFacets<T>(kind: Kind, { certain, possible, open: isOpen }: Told<T>, text: (one: T) => string) {
  const is = new Set(certain.map(text));
  const may = new Set(possible.map(text)).difference(is);
  return [
    ...[...is].map((one) => `is ${kind} ${one}`),
    ...[...may].map((one) => `may ${kind} ${one}`),
    ...(isOpen ? [open(kind)] : []),
  ];
}

function wanted(kind: Kind, texts: readonly string[], effect: Effect): readonly Facet[] {
  const is = texts.map((text) => `is ${kind} ${text}`);
  return effect === 'permit' ? is : [...is, ...texts.map((text) => `may ${kind} ${text}`), open(kind)];
}

function wantedCodings(kind: Kind, codings: readonly Coding[], effect: Effect): readonly Facet[] {
  // A deny hears a code also where the record leaves its system out.
  const heard = effect === 'permit' ? codings : codings.flatMap((one) => [one, { ...one, system: undefined }]);
  return wanted(kind, heard.map(codingText), effect);
}

function wantedLabel(label: Coding, effect: Effect): readonly Facet[] {
  return wantedCodings(isConfidentiality(label) ? 'confidentiality' : 'tag', coveredLabels(label), effect);
}

function wantedClass(one: RecordClass, effect: Effect): readonly Facet[] {
  return one.kind === 'type' ? wanted('type', [one.type], effect) : wanted('profile', [one.url], effect);
}

function wantedData({ meaning, resource }: DataReference, effect: Effect): readonly Facet[] {
  return wanted(meaning === 'instance' ? 'name' : 'author', [resource], effect);
}

function asWritten(text: string): string {
  return text;
}

/** No system has a space in it, so no two codings are the same text. */
function codingText({ system, code }: RecordCoding): string {
  return `${system ?? ''} ${code}`;
}

/** Both ends by day, at each calendar level, so that a period is covered by a few facets. */
function dateFacets(dates: Interval | undefined): readonly Facet[] {
  if (dates === undefined) return [open('date')];
  const first = calendarCells(dates.from).map((cell) => `first ${cell}`);
  const last = calendarCells(dates.until - 1).map((cell) => `last ${cell}`);
  return [...first, ...last];
}

/** Overlap: the record begins before the period's end, and ends after its beginning. */
function wantedDates(period: Interval, effect: Effect): readonly (readonly Facet[])[] {
  const conditions: (readonly Facet[])[] = [];
  if (period.until !== Number.POSITIVE_INFINITY) {
    conditions.push(coverUpTo(period.until - MS_PER_DAY).map((cell) => `first ${cell}`));
  }
  if (period.from !== Number.NEGATIVE_INFINITY) {
    conditions.push(coverFrom(period.from).map((cell) => `last ${cell}`));
  }
  return conditions.map((condition) => (effect === 'deny' ? [...condition, open('date')] : condition));
}
