import table from './units.json' with { type: 'json' };

/** A unit of UCUM (https://ucum.org/ucum) as a multiple of base units, with what has to be added first. */
export interface CanonicalUnit {
  /** The base units, such as `g.m-3`; two units convert into each other if and only if theirs are equal. */
  readonly dimension: string;
  readonly factor: number;
  /** Of temperatures: added before the multiplication. */
  readonly offset: number;
}

interface UnitRow {
  /** A base unit, or an arbitrary one, which converts into nothing but multiples of itself. */
  readonly base?: boolean;
  /** Measured on a scale that is not a ratio: see SPECIAL. */
  readonly special?: boolean;
  readonly value?: number;
  readonly unit?: string;
  /** Takes prefixes. */
  readonly metric?: boolean;
}

const UNITS = new Map(Object.entries(table.units as Readonly<Record<string, UnitRow>>));
const PREFIXES = new Map(Object.entries(table.prefixes as Readonly<Record<string, number>>));

/** Temperatures, in kelvin; other special units (pH, decibels, dioptres of prisms) are comparable with themselves only. */
const SPECIAL: ReadonlyMap<string, CanonicalUnit> = new Map([
  ['Cel', { dimension: 'K1', factor: 1, offset: 273.15 }],
  ['[degF]', { dimension: 'K1', factor: 5 / 9, offset: 459.67 }],
  ['[degRe]', { dimension: 'K1', factor: 5 / 4, offset: 218.52 }],
]);

/** Two spellings of the international unit. */
const SAME: ReadonlyMap<string, string> = new Map([['[IU]', '[iU]']]);

/** Units are few and repeat; what a client invents must not fill the memory. */
const CACHE_SIZE = 2000;
/** What has been read of the constant table so far. */
const known = new Map<string, CanonicalUnit | undefined>();

/** Undefined for what is no unit of UCUM. */
export function canonicalUnit(code: string): CanonicalUnit | undefined {
  if (known.has(code)) return known.get(code);
  if (known.size >= CACHE_SIZE) known.clear();
  const made = parseUnit(code);
  known.set(code, made);
  return made;
}

/** A value in base units. Twelve digits: what is beyond them is noise of the multiplication. */
export function canonicalValue(value: number, { factor, offset }: CanonicalUnit): number {
  return Number(((value + offset) * factor).toPrecision(12));
}

/** Exponents by base unit, and a factor. */
interface Term {
  readonly factor: number;
  readonly exponents: ReadonlyMap<string, number>;
}

const ONE: Term = { factor: 1, exponents: new Map() };
const MAX_LENGTH = 100;

function parseUnit(code: string): CanonicalUnit | undefined {
  const special = SPECIAL.get(code);
  if (special !== undefined) return special;
  for (const [prefix, factor] of [['', 1] as const, ...PREFIXES]) {
    const row = code.startsWith(prefix) ? UNITS.get(code.slice(prefix.length)) : undefined;
    if (row?.special === true && (prefix === '' || row.metric === true)) {
      return { dimension: code.slice(prefix.length), factor, offset: 0 };
    }
  }
  const term = code.length > MAX_LENGTH ? undefined : new Parser(code).whole();
  if (term === undefined || !Number.isFinite(term.factor) || term.factor === 0) return undefined;
  const parts = [...term.exponents].filter(([, exponent]) => exponent !== 0).sort(([a], [b]) => (a < b ? -1 : 1));
  return { dimension: parts.map(([unit, exponent]) => unit + exponent).join('.'), factor: term.factor, offset: 0 };
}

const ANNOTATION = /\{[^{}]*\}/y;
const SYMBOL = /(?:\[[^\]\s]*\]|[^\s()./{}[\]])+/y;

/** https://ucum.org/ucum#section-Syntax-Rules */
class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Term | undefined {
    const term = this.#term();
    return this.#at === this.#text.length && this.#text !== '' ? term : undefined;
  }

  #term(): Term | undefined {
    let sign = this.#take('/') ? -1 : 1;
    let term: Term = ONE;
    for (;;) {
      const next = this.#component();
      if (next === undefined) return undefined;
      term = product(term, power(next, sign));
      if (this.#take('.')) sign = 1;
      else if (this.#take('/')) sign = -1;
      else return term;
    }
  }

  #component(): Term | undefined {
    if (this.#take('(')) {
      const inner = this.#term();
      if (!this.#take(')')) return undefined;
      this.#match(ANNOTATION);
      return inner;
    }
    const symbol = this.#match(SYMBOL);
    // An annotation says what was counted; by itself it stands for 1.
    const annotated = this.#match(ANNOTATION) !== undefined;
    if (symbol === undefined) return annotated ? ONE : undefined;
    return atom(symbol);
  }

  #take(sign: string): boolean {
    if (this.#text[this.#at] !== sign) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }
}

/** A number, or a unit with or without a prefix and an exponent. */
function atom(symbol: string): Term | undefined {
  if (/^\d+$/.test(symbol)) return { factor: Number(symbol), exponents: new Map() };
  const whole = unit(symbol);
  if (whole !== undefined) return whole;
  const [, base = '', exponent] = /^(.*\D)([+-]?\d{1,2})$/.exec(symbol) ?? [];
  // The greedy match leaves a sign with the base.
  const sign = /[+-]$/.exec(base)?.[0] ?? '';
  const raised = exponent === undefined ? undefined : unit(base.slice(0, base.length - sign.length));
  return raised === undefined ? undefined : power(raised, Number(sign + exponent));
}

function unit(symbol: string): Term | undefined {
  const row = UNITS.get(symbol);
  if (row !== undefined) return definition(symbol, row);
  for (const length of [1, 2]) {
    const [prefix, rest] = [PREFIXES.get(symbol.slice(0, length)), symbol.slice(length)];
    const metric = UNITS.get(rest);
    if (prefix === undefined || metric?.metric !== true) continue;
    const base = definition(rest, metric);
    if (base !== undefined) return { ...base, factor: base.factor * prefix };
  }
  return undefined;
}

function definition(symbol: string, { base, special, value, unit: of }: UnitRow): Term | undefined {
  if (base === true) return { factor: 1, exponents: new Map([[SAME.get(symbol) ?? symbol, 1]]) };
  // On a scale of its own nothing can be built.
  if (special === true || value === undefined || of === undefined) return undefined;
  const term = new Parser(of).whole();
  return term === undefined ? undefined : { ...term, factor: term.factor * value };
}

function product(a: Term, b: Term): Term {
  const exponents = new Map(a.exponents);
  for (const [name, exponent] of b.exponents) exponents.set(name, (exponents.get(name) ?? 0) + exponent);
  return { factor: a.factor * b.factor, exponents };
}

function power({ factor, exponents }: Term, exponent: number): Term {
  return {
    factor: factor ** exponent,
    exponents: new Map([...exponents].map(([name, one]) => [name, one * exponent])),
  };
}
