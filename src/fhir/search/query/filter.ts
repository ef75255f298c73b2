import { parameterError } from './errors.ts';

/** A `_filter` (http://hl7.org/fhir/R4/search_filter.html). */
export type FilterExpression =
  | { readonly kind: 'and' | 'or'; readonly left: FilterExpression; readonly right: FilterExpression }
  | { readonly kind: 'not'; readonly operand: FilterExpression }
  | {
      readonly kind: 'comparison';
      readonly path: readonly FilterStep[];
      readonly operator: FilterOperator;
      readonly value: string;
    };

/** A search parameter, or, in a chain, a reference parameter whose targets `filter` narrows. */
interface FilterStep {
  readonly name: string;
  readonly filter?: FilterExpression;
}

const OPERATORS = [
  'eq',
  'ne',
  'co',
  'sw',
  'ew',
  'gt',
  'lt',
  'ge',
  'le',
  'ap',
  'sa',
  'eb',
  'pr',
  'po',
  'ss',
  'sb',
  'in',
  're',
] as const;
type FilterOperator = (typeof OPERATORS)[number];

const MAX_DEPTH = 50;
const TOKEN = /\s*(?:("(?:[^"\\]|\\.)*")|([()[\].])|([^\s()[\]."][^\s()[\]"]*))/y;
const NAME = /^[A-Za-z_][\w-]*(?::[A-Za-z-]+)?(?:\.[A-Za-z_][\w-]*(?::[A-Za-z-]+)?)*$/;

/**
 * Parses a `_filter`. `and` and `or` have the same precedence, from left to right, as the specification says.
 *
 * @throws MedSealError `invalid-parameter`
 */
export function parseFilter(text: string): FilterExpression {
  return new FilterParser(tokensOf(text)).parse();
}

function tokensOf(text: string): readonly string[] {
  const source = text.trim();
  const tokens: string[] = [];
  for (let at = 0; at < source.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(source);
    if (match === null) throw malformed();
    tokens.push(match[1] ?? match[2] ?? match[3] ?? '');
  }
  return tokens;
}

function malformed(): Error {
  return parameterError('_filter', 'the expression is malformed');
}

class FilterParser {
  readonly #tokens: readonly string[];
  #position = 0;
  #depth = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  parse(): FilterExpression {
    const filter = this.#filter();
    if (this.#position < this.#tokens.length) throw malformed();
    return filter;
  }

  #filter(): FilterExpression {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw malformed();
    let left = this.#term();
    for (let word = this.#peek(); word === 'and' || word === 'or'; word = this.#peek()) {
      this.#position += 1;
      left = { kind: word, left, right: this.#term() };
    }
    this.#depth -= 1;
    return left;
  }

  #term(): FilterExpression {
    if (this.#peek() === 'not' && this.#tokens[this.#position + 1] === '(') {
      this.#position += 1;
      return { kind: 'not', operand: this.#parenthesised() };
    }
    return this.#peek() === '(' ? this.#parenthesised() : this.#comparison();
  }

  #parenthesised(): FilterExpression {
    this.#expect('(');
    const filter = this.#filter();
    this.#expect(')');
    return filter;
  }

  #comparison(): FilterExpression {
    const path: FilterStep[] = [];
    for (;;) {
      const names = this.#next();
      if (!NAME.test(names)) throw malformed();
      path.push(...names.split('.').map((name) => ({ name })));
      if (this.#peek() !== '[') break;
      this.#position += 1;
      const filter = this.#filter();
      this.#expect(']');
      this.#expect('.');
      const last = path.pop();
      if (last !== undefined) path.push({ ...last, filter });
    }
    const word = this.#next();
    const operator = OPERATORS.find((known) => known === word);
    if (operator === undefined) throw malformed();
    return { kind: 'comparison', path, operator, value: this.#value() };
  }

  #value(): string {
    const token = this.#next();
    if ('()[].'.includes(token)) throw malformed();
    return token.startsWith('"') ? token.slice(1, -1).replace(/\\(.)/g, '$1') : token;
  }

  #peek(): string | undefined {
    return this.#tokens[this.#position];
  }

  #next(): string {
    const token = this.#peek();
    if (token === undefined) throw malformed();
    this.#position += 1;
    return token;
  }

  #expect(token: string): void {
    if (this.#next() !== token) throw malformed();
  }
}
