import { calendarCells, coverFrom, coverUpTo } from '../../fhir/search/calendar.ts';
import { coverBetween, magnitudeCells } from '../../fhir/search/magnitude.ts';
import { numberEnds, ucumUnit } from '../../fhir/search/quantities.ts';
import { normalise } from '../../fhir/search/strings.ts';
import { uriAndAbove } from '../../fhir/search/uris.ts';
import type { DateValue, NumberValue, QuantityValue, TokenValue } from '../../fhir/search/values.ts';
import { codeAndAncestors, isBuiltOfParts } from '../../fhir/terminology/code-hierarchy.ts';
import { canonicalValue } from '../../fhir/terminology/ucum/ucum.ts';

/**
 * The texts that are hashed into tokens, for what a resource holds and for what a search asks, side by side so that they
 * cannot drift apart. A form begins with what it is; `|` never occurs in that first part.
 */
export const PRESENT = 'present';

/** Longest prefix of a string that the index knows; a longer question is decided after opening. */
const MAX_PREFIX = 16;

/** `system|code`, and the code in any system. */
export function tokenForms(value: TokenValue): readonly string[] {
  const { system, code, types } = value;
  const forms: string[] = [];
  if (code !== undefined && system !== undefined) forms.push(tokenForm(system, code));
  if (code !== undefined) forms.push(tokenForm(undefined, code));
  for (const type of types ?? []) {
    if (code !== undefined && type.code !== undefined) forms.push(ofTypeForm(type.system ?? '', type.code, code));
  }
  return forms;
}

/** Seldom asked: `|code`, a code without a system, `system|`, any code of a system, and what it is a kind of. */
export function tokenTraits(value: TokenValue): readonly string[] {
  const { system, code } = value;
  const traits = ancestorTraits(value);
  if (system !== undefined) return [systemForm(system), ...traits];
  return code === undefined ? traits : [tokenForm('', code), ...traits];
}

/** @param system undefined for any, '' for none */
export function tokenForm(system: string | undefined, code: string): string {
  return `token|${system === undefined ? '*' : `=${system}`}|${code}`;
}

export function systemForm(system: string): string {
  return `system|${system}`;
}

export function ofTypeForm(system: string, code: string, value: string): string {
  return `of-type|${system}|${code}|${value}`;
}

/** The exact text, and each prefix of its normalised form. */
export function stringForms(text: string): readonly string[] {
  const points = [...normalise(text)];
  const forms = [exactForm(text)];
  for (let length = 1; length <= Math.min(points.length, MAX_PREFIX); length++) {
    forms.push(`prefix|${points.slice(0, length).join('')}`);
  }
  return forms;
}

export function exactForm(text: string): string {
  return `exact|${text}`;
}

/** What stands for "starts with": exact as long as the index knows prefixes of that length. */
export function prefixForm(text: string): { readonly form: string; readonly exact: boolean } {
  const points = [...normalise(text)];
  return { form: `prefix|${points.slice(0, MAX_PREFIX).join('')}`, exact: points.length <= MAX_PREFIX };
}

export function uriForm(value: string): string {
  return `uri|${value}`;
}

/** As written, and without the version of a canonical. */
export function uriForms(value: string): readonly string[] {
  const bar = value.indexOf('|');
  return bar < 0 ? [uriForm(value)] : [uriForm(value), uriForm(value.slice(0, bar))];
}

/** Each URI that this one is below, itself included. */
export function uriTraits(value: string): readonly string[] {
  return uriAndAbove(value).map(underUriForm);
}

export function underUriForm(uri: string): string {
  return `under|${uri.replace(/\/+$/, '')}`;
}

/** Texts longer than this are candidates for any part that is looked for. */
const MAX_PAIRED = 40;
const LONG = 'pair|…';

/** Each two neighbouring signs of the normalised text: what contains another has all of its pairs. */
export function stringTraits(text: string): readonly string[] {
  const points = [...normalise(text)];
  return points.length > MAX_PAIRED ? [LONG] : pairs(points);
}

/** Of what contains a text: either all of the first, or the second. None of the first: any value may contain it. */
export function containingForms(text: string): { readonly every: readonly string[]; readonly or: string } {
  return { every: pairs([...normalise(text)]), or: LONG };
}

function pairs(points: readonly string[]): readonly string[] {
  return [...new Set(points.slice(1).map((point, index) => `pair|${points[index]}${point}`))];
}

const TEXT_LENGTHS = [4, 2];

/** What a token's text begins with. */
export function textTraits(text: string): readonly string[] {
  const points = [...normalise(text)];
  return TEXT_LENGTHS.filter((length) => length <= points.length).map((length) => startForm(points, length));
}

/** What a text begins with that begins as this one does; undefined when it is too short to tell. */
export function textForm(text: string): string | undefined {
  const points = [...normalise(text)];
  const length = TEXT_LENGTHS.find((one) => one <= points.length);
  return length === undefined ? undefined : startForm(points, length);
}

function startForm(points: readonly string[], length: number): string {
  return `text|${points.slice(0, length).join('')}`;
}

/** Every code that this one is a kind of, where its system builds codes so. */
function ancestorTraits({ system, code }: TokenValue): readonly string[] {
  if (system === undefined || code === undefined || !isBuiltOfParts(system)) return [];
  return codeAndAncestors(system, code)
    .slice(1)
    .map((ancestor) => kindForm(system, ancestor));
}

export function kindForm(system: string, code: string): string {
  return `kind|${system}|${code}`;
}

/** Where a number lies, and a quantity also in base units. One form per level where both ends share the cell. */
export function numberForms(value: NumberValue | QuantityValue): readonly string[] {
  const [low, high] = numberEnds(value);
  const forms = endForms('number', low, high);
  const unit = value.kind === 'quantity' ? ucumUnit(value) : undefined;
  if (unit === undefined) return forms;
  const kind = quantityKind(unit.dimension);
  return [...forms, ...endForms(kind, canonicalValue(low, unit), canonicalValue(high, unit))];
}

/** What a quantity of any unit, or a number, is indexed as; or a quantity in the base units of its dimension. */
export function quantityKind(dimension: string | undefined): string {
  return dimension === undefined ? 'number' : `quantity|${dimension}`;
}

function endForms(kind: string, low: number, high: number): readonly string[] {
  const ends = magnitudeCells(high);
  return magnitudeCells(low).flatMap((cell, level) => {
    const last = ends[level] ?? cell;
    return cell === last ? [`${kind}|in|${cell}`] : [`${kind}|low|${cell}`, `${kind}|high|${last}`];
  });
}

/** Forms of which one is there when the value begins between the two numbers. */
export function lowBetween(kind: string, low: number, high: number): readonly string[] {
  return coverBetween(low, high).flatMap((cell) => [`${kind}|in|${cell}`, `${kind}|low|${cell}`]);
}

/** Forms of which one is there when the value ends between the two numbers. */
export function highBetween(kind: string, low: number, high: number): readonly string[] {
  return coverBetween(low, high).flatMap((cell) => [`${kind}|in|${cell}`, `${kind}|high|${cell}`]);
}

/** At each calendar level one form where both ends share the cell, else one for each end. */
export function dateForms(value: DateValue): readonly string[] {
  const low = calendarCells(value.low);
  const high = calendarCells(Math.max(value.low, value.high - 1));
  return low.flatMap((cell, level) => {
    const last = high[level] ?? cell;
    return cell === last ? [`in|${cell}`] : [`low|${cell}`, `high|${last}`];
  });
}

/** Wholly inside one cell of the calendar. */
export function withinForm(cell: string): string {
  return `in|${cell}`;
}

/** Forms of which one is there when the value begins on or before the day of `instant`. */
export function beginsUpTo(instant: number): readonly string[] {
  return coverUpTo(instant).flatMap((cell) => [`in|${cell}`, `low|${cell}`]);
}

/** Forms of which one is there when the value begins on or after the day of `instant`. */
export function beginsFrom(instant: number): readonly string[] {
  return coverFrom(instant).flatMap((cell) => [`in|${cell}`, `low|${cell}`]);
}

export function endsUpTo(instant: number): readonly string[] {
  return coverUpTo(instant).flatMap((cell) => [`in|${cell}`, `high|${cell}`]);
}

export function endsFrom(instant: number): readonly string[] {
  return coverFrom(instant).flatMap((cell) => [`in|${cell}`, `high|${cell}`]);
}
