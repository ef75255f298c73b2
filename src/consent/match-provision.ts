import { purposeAndAncestors } from '../fhir/terminology/purpose-of-use.ts';
import type { AccessRequest } from './decide.ts';
import { type RecordCoding, type RecordFacts, satisfies } from './facts.ts';
import { coveredLabels, isConfidentiality } from './labels.ts';
import type { Coding, DataReference, Effect, Interval, Provision, RecordClass } from './policy.ts';

/**
 * Whether one provision, by itself, matches a request for a record: every attribute that it has must. `effect` is the
 * one that is asked for, which for a nested provision's ancestors is the nested one's.
 */
export function provisionMatches(
  provision: Provision,
  effect: Effect,
  request: AccessRequest,
  record: RecordFacts,
): boolean {
  const { actors, actions, purposes, classes, codes, labels, dataPeriod, data } = provision;
  return (
    includes(provision.period, request.instant) &&
    (actors === undefined || actors.some((actor) => request.actors.includes(actor))) &&
    (actions === undefined || actions.includes(request.action)) &&
    (purposes === undefined || purposesMatch(purposes, effect, request.purposes)) &&
    (classes === undefined || classes.some((wanted) => classMatches(wanted, effect, record))) &&
    (codes === undefined || codes.some((wanted) => satisfies(record.codes, effect, (one) => same(wanted, one)))) &&
    (labels === undefined || labels.some((wanted) => labelMatches(wanted, effect, record))) &&
    (dataPeriod === undefined || datesMatch(dataPeriod, effect, record.dates)) &&
    (data === undefined || data.some((wanted) => dataMatches(wanted, effect, record)))
  );
}

export function includes(interval: Interval, instant: number): boolean {
  return interval.from <= instant && instant < interval.until;
}

/** A token that names no purpose could be for any: whoever could escape a deny by keeping silent would. */
function purposesMatch(wanted: readonly string[], effect: Effect, purposes: readonly string[]): boolean {
  if (purposes.length === 0) return effect === 'deny';
  return purposes.some((purpose) => purposeAndAncestors(purpose).some((one) => wanted.includes(one)));
}

function classMatches(wanted: RecordClass, effect: Effect, record: RecordFacts): boolean {
  return wanted.kind === 'type'
    ? satisfies(record.types, effect, (type) => type === wanted.type)
    : satisfies(record.profiles, effect, (profile) => profile === wanted.url);
}

function labelMatches(wanted: Coding, effect: Effect, record: RecordFacts): boolean {
  const told = isConfidentiality(wanted) ? record.confidentiality : record.tags;
  return satisfies(told, effect, (one) => coveredLabels(wanted).some((covered) => same(covered, one)));
}

function datesMatch(wanted: Interval, effect: Effect, dates: Interval | undefined): boolean {
  if (dates === undefined) return effect === 'deny';
  return dates.from < wanted.until && dates.until > wanted.from;
}

function dataMatches(wanted: DataReference, effect: Effect, record: RecordFacts): boolean {
  const told = wanted.meaning === 'instance' ? record.names : record.authors;
  return satisfies(told, effect, (one) => one === wanted.resource);
}

/** A system that the record does not tell may be the wanted one; only what may be so is ever without. */
function same(wanted: Coding, one: RecordCoding): boolean {
  return wanted.code === one.code && (one.system === undefined || wanted.system === one.system);
}
