import type { BinaryOperator, Expression, Literal } from './ast.ts';
import { expressionError, type Token, tokenize } from './lexer.ts';

/** How deep an expression may nest; R4's own stay below 20. It bounds the recursion of parser and compiler. */
const MAX_DEPTH = 100;

/** Binding powers: https://hl7.org/fhirpath/N1/#operator-precedence, tightest highest. All associate to the left. */
const BINARY: Readonly<Record<BinaryOperator, number>> = {
  '*': 11,
  '/': 11,
  div: 11,
  mod: 11,
  '+': 10,
  '-': 10,
  '&': 10,
  '|': 8,
  '<=': 7,
  '<': 7,
  '>': 7,
  '>=': 7,
  '=': 6,
  '~': 6,
  '!=': 6,
  '!~': 6,
  in: 5,
  contains: 5,
  and: 4,
  or: 3,
  xor: 3,
  implies: 2,
};
const TYPE_POWER = 9;
const UNARY_POWER = 12;
const POSTFIX_POWER = 13;

/** The words for calendar durations, with their UCUM codes. */
const DURATIONS: ReadonlyMap<string, string> = new Map([
  ['year', 'a'],
  ['month', 'mo'],
  ['week', 'wk'],
  ['day', 'd'],
  ['hour', 'h'],
  ['minute', 'min'],
  ['second', 's'],
  ['millisecond', 'ms'],
]);

/**
 * Parses a FHIRPath expression (https://hl7.org/fhirpath/N1/#formal-specifications).
 *
 * @throws MedSealError `invalid-expression`
 */
export function parseExpression(source: string): Expression {
  return new Parser(tokenize(source)).parse();
}

class Parser {
  readonly #tokens: readonly Token[];
  #position = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): Expression {
    const expression = this.#expression(0);
    if (this.#peek().kind !== 'end') throw this.#unexpected();
    return expression;
  }

  /** An expression whose operators all bind tighter than `power`: the heart of a Pratt parser. */
  #expression(power: number): Expression {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw expressionError('The expression nests too deeply', this.#peek().at);
    let left = this.#prefix();
    for (;;) {
      const next = this.#extend(left, power);
      if (next === undefined) break;
      left = next;
    }
    this.#depth -= 1;
    return left;
  }

  /** `left` with one more operator or step, or undefined when what follows binds no tighter than `power`. */
  #extend(left: Expression, power: number): Expression | undefined {
    const { kind, text } = this.#peek();
    if (kind !== 'symbol' && kind !== 'word') return undefined;
    if (kind === 'symbol' && (text === '.' || text === '[')) return this.#step(left, text, power);
    if (text === 'is' || text === 'as') {
      if (TYPE_POWER <= power) return undefined;
      this.#next();
      return { kind: 'type', operator: text, on: left, type: this.#qualifiedName() };
    }
    if (!isBinaryOperator(text) || BINARY[text] <= power) return undefined;
    this.#next();
    return { kind: 'binary', operator: text, left, right: this.#expression(BINARY[text]) };
  }

  #step(on: Expression, symbol: '.' | '[', power: number): Expression | undefined {
    if (POSTFIX_POWER <= power) return undefined;
    this.#next();
    if (symbol === '.') return this.#invocation(on);
    const index = this.#expression(0);
    this.#expect(']');
    return { kind: 'indexer', on, index };
  }

  #prefix(): Expression {
    const token = this.#next();
    switch (token.kind) {
      case 'string':
        return literal({ type: 'System.String', value: token.text });
      case 'number':
        return this.#number(token.text);
      case 'temporal':
        return literal(temporal(token));
      case 'variable':
        return { kind: 'variable', name: token.text };
      case 'special':
        return { kind: 'special', name: token.text as '$this' | '$index' | '$total' };
      case 'symbol':
        return this.#prefixSymbol(token);
      default:
        if (token.kind === 'word' && (token.text === 'true' || token.text === 'false')) {
          return literal({ type: 'System.Boolean', value: token.text === 'true' });
        }
        this.#position -= 1;
        return this.#invocation();
    }
  }

  #prefixSymbol(token: Token): Expression {
    switch (token.text) {
      case '(': {
        const inner = this.#expression(0);
        this.#expect(')');
        return inner;
      }
      case '{':
        this.#expect('}');
        return { kind: 'empty' };
      case '-':
        return { kind: 'negate', operand: this.#expression(UNARY_POWER) };
      case '+':
        return this.#expression(UNARY_POWER);
      default:
        this.#position -= 1;
        throw this.#unexpected();
    }
  }

  /** A member or a function call. Keywords are ordinary names here: `expansion.contains`, `.as(Quantity)`. */
  #invocation(on?: Expression): Expression {
    const name = this.#identifier();
    const target = on === undefined ? {} : { on };
    if (!this.#take('(')) return { kind: 'member', ...target, name };
    const args: Expression[] = [];
    if (!this.#take(')')) {
      do args.push(this.#expression(0));
      while (this.#take(','));
      this.#expect(')');
    }
    return { kind: 'call', ...target, name, args };
  }

  /** A number, or a quantity such as `4 days` or `10 'mg'`. */
  #number(text: string): Expression {
    const value = Number(text);
    const { kind, text: unit } = this.#peek();
    const code = kind === 'string' ? unit : kind === 'word' ? DURATIONS.get(unit.replace(/s$/, '')) : undefined;
    if (code === undefined) {
      return literal({ type: text.includes('.') ? 'System.Decimal' : 'System.Integer', value });
    }
    this.#next();
    return literal({ type: 'System.Quantity', value: { value, code } });
  }

  #qualifiedName(): string {
    let name = this.#identifier();
    while (this.#take('.')) name += `.${this.#identifier()}`;
    return name;
  }

  #identifier(): string {
    const token = this.#next();
    if (token.kind === 'word' || token.kind === 'delimited') return token.text;
    this.#position -= 1;
    throw this.#unexpected();
  }

  #peek(): Token {
    const token = this.#tokens[this.#position] ?? this.#tokens.at(-1);
    if (token === undefined) throw expressionError('The expression is empty');
    return token;
  }

  #next(): Token {
    const token = this.#peek();
    this.#position += 1;
    return token;
  }

  /** Consumes `symbol` if it comes next. */
  #take(symbol: string): boolean {
    const { kind, text } = this.#peek();
    const found = kind === 'symbol' && text === symbol;
    if (found) this.#position += 1;
    return found;
  }

  #expect(symbol: string): void {
    if (!this.#take(symbol)) throw expressionError(`Expected "${symbol}"`, this.#peek().at);
  }

  #unexpected(): Error {
    const { kind, at } = this.#peek();
    return expressionError(kind === 'end' ? 'The expression ends too early' : 'Unexpected token', at);
  }
}

function isBinaryOperator(text: string): text is BinaryOperator {
  return Object.hasOwn(BINARY, text);
}

function literal(value: Literal): Expression {
  return { kind: 'literal', literal: value };
}

function temporal({ text, at }: Token): Literal {
  if (text === '' || text === 'T') throw expressionError('An empty date or time', at);
  if (text.startsWith('T')) return { type: 'System.Time', value: text.slice(1) };
  if (!text.includes('T')) return { type: 'System.Date', value: text };
  return { type: 'System.DateTime', value: text.endsWith('T') ? text.slice(0, -1) : text };
}
