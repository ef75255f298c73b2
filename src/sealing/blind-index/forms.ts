import { calendarCells, coverFrom, coverUpTo } from '../../fhir/search/calendar.ts';
import { normalise } from '../../fhir/search/strings.ts';
import type { DateValue, TokenValue } from '../../fhir/search/values.ts';

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

/** Seldom asked: `|code`, a code without a system, and `system|`, any code of a system. */
export function tokenTraits({ system, code }: TokenValue): readonly string[] {
  if (system !== undefined) return [systemForm(system)];
  return code === undefined ? [] : [tokenForm('', code)];
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
