import { calendarCells, coverFrom, coverUpTo } from '../fhir/search/calendar.ts';
import type { AccessRequest, RecordFacts } from './decide.ts';
import { coveredLabels, effectiveLabels } from './labels.ts';
import type { Coding, DataReference, Effect, Interval, Provision, RecordClass } from './policy.ts';
import { purposeAndAncestors } from './purposes.ts';

/**
 * Facets are what a consent rule can ask, as short texts: of a record (`type|…`, `code|…`), and of who asks (`actor|…`).
 * Outside the server they exist only as keyed tokens. A rule matches when each of its conditions shares a facet with the
 * record and the principal together; `untold` facets stand for what a record does not tell.
 */
export type Facet = string;

const MS_PER_DAY = 86_400_000;

/** A record's facets: fixed for a version, stored with it. */
export function recordFacets(record: RecordFacts): readonly Facet[] {
  const labels = effectiveLabels(record.labels);
  return [
    `type|${record.type}`,
    `instance|${record.name}`,
    ...toldOr('profile', record.profiles, (profile) => [`profile|${profile}`]),
    ...toldOr('code', record.codes, (code) => codingFacets('code', code)),
    ...toldOr('mention', record.mentions, (code) => codingFacets('mention', code)),
    ...toldOr('label', labels, (label) => codingFacets('label', label)),
    ...toldOr('author', record.authors, (author) => [`author|${author}`]),
    ...dateFacets(record.dates),
  ];
}

/** The principal's facets for one request. */
export function principalFacets(request: AccessRequest): readonly Facet[] {
  return [
    `action|${request.action}`,
    ...request.actors.map((actor) => `actor|${actor}`),
    ...new Set(request.purposes.flatMap(purposeAndAncestors).map((purpose) => `purpose|${purpose}`)),
  ];
}

/** One provision's own conditions: each is a list of facets of which one must be there. */
export function provisionConditions(provision: Provision, effect: Effect): readonly (readonly Facet[])[] {
  const { actors, actions, purposes, labels, classes, codes, dataPeriod, data } = provision;
  const about = effect === 'deny' ? 'mention' : 'code';
  const conditions: (readonly Facet[] | undefined)[] = [
    actors?.map((actor) => `actor|${actor}`),
    actions?.map((action) => `action|${action}`),
    purposes?.map((purpose) => `purpose|${purpose}`),
    classes?.flatMap((wanted) => classFacets(wanted, effect)),
    codes &&
      withUntold(
        about,
        effect,
        codes.flatMap((code) => wantedCoding(about, code)),
      ),
    labels &&
      withUntold(
        'label',
        effect,
        labels.flatMap(coveredLabels).flatMap((label) => wantedCoding('label', label)),
      ),
    data?.flatMap((wanted) => dataFacets(wanted, effect)),
  ];
  const periods = dataPeriod === undefined ? [] : periodConditions(dataPeriod, effect);
  return [...conditions.filter((condition) => condition !== undefined), ...periods];
}

function toldOr<T>(kind: string, told: readonly T[], facets: (one: T) => readonly Facet[]): readonly Facet[] {
  return told.length === 0 ? [untold(kind)] : [...new Set(told.flatMap(facets))];
}

function untold(kind: string): Facet {
  return `${kind}?`;
}

function withUntold(kind: string, effect: Effect, facets: readonly Facet[]): readonly Facet[] {
  return effect === 'deny' ? [...facets, untold(kind)] : facets;
}

function codingFacets(kind: string, coding: Coding): readonly Facet[] {
  const any = `${kind}|*|${coding.code}`;
  return coding.system === undefined ? [any] : [any, `${kind}|${coding.system}|${coding.code}`];
}

function wantedCoding(kind: string, coding: Coding): readonly Facet[] {
  return [`${kind}|${coding.system ?? '*'}|${coding.code}`];
}

function classFacets(wanted: RecordClass, effect: Effect): readonly Facet[] {
  if (wanted.kind === 'type') return [`type|${wanted.type}`];
  return withUntold('profile', effect, [`profile|${wanted.url}`]);
}

function dataFacets(wanted: DataReference, effect: Effect): readonly Facet[] {
  if (wanted.meaning === 'instance') return [`instance|${wanted.resource}`];
  return withUntold('author', effect, [`author|${wanted.resource}`]);
}

/** Both ends by day, at each calendar level, so that a period is covered by a few facets. */
function dateFacets(dates: Interval | undefined): readonly Facet[] {
  if (dates === undefined) return [untold('date')];
  const first = calendarCells(dates.from).map((cell) => `first|${cell}`);
  const last = calendarCells(dates.until - 1).map((cell) => `last|${cell}`);
  return [...first, ...last];
}

/** Overlap: the record begins before the period's end, and ends after its beginning. */
function periodConditions(period: Interval, effect: Effect): readonly (readonly Facet[])[] {
  const conditions: (readonly Facet[])[] = [];
  if (period.until !== Number.POSITIVE_INFINITY) {
    conditions.push(coverUpTo(period.until - MS_PER_DAY).map((cell) => `first|${cell}`));
  }
  if (period.from !== Number.NEGATIVE_INFINITY) {
    conditions.push(coverFrom(period.from).map((cell) => `last|${cell}`));
  }
  return conditions.map((condition) => withUntold('date', effect, condition));
}
