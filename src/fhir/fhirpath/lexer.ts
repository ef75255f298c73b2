import { MedSealError } from '../../errors.ts';

export interface Token {
  /**
   * `word`: identifier or keyword; `delimited`: an identifier in backquotes; `temporal`: a date or time without its
   * `@`; `symbol`: operator or punctuation.
   */
  readonly kind: 'word' | 'delimited' | 'string' | 'number' | 'temporal' | 'variable' | 'special' | 'symbol' | 'end';
  readonly text: string;
  /** Offset into the source, in UTF-16 units. */
  readonly at: number;
}

/** The error for an expression that is not FHIRPath, or not FHIRPath that can be evaluated here. */
export function expressionError(message: string, at?: number): MedSealError {
  return new MedSealError('invalid-expression', at === undefined ? message : `${message} at offset ${at}`);
}

const SPACE = /(?:\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y;
const PATTERNS: readonly (readonly [Token['kind'], RegExp])[] = [
  ['number', /\d+(?:\.\d+)?/y],
  ['word', /[A-Za-z_]\w*/y],
  ['string', /'(?:[^'\\]|\\[\s\S])*'/y],
  ['delimited', /`(?:[^`\\]|\\[\s\S])*`/y],
  ['temporal', /@(?:\d{4}(?:-\d\d(?:-\d\d)?)?)?(?:T(?:\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:\d\d)?)?)?/y],
  ['variable', /%(?:[A-Za-z_]\w*|`(?:[^`\\]|\\[\s\S])*`|'(?:[^'\\]|\\[\s\S])*')/y],
  ['special', /\$(?:this|index|total)\b/y],
  ['symbol', /!=|!~|<=|>=|[.,()[\]{}|&+\-*/<>=~]/y],
];
const ESCAPES: Readonly<Record<string, string>> = { f: '\f', n: '\n', r: '\r', t: '\t' };
const PLAIN_ESCAPES = '`\'"\\/';

/**
 * Splits a FHIRPath expression into tokens, the last of kind `end`. Strings and delimited identifiers come without
 * quotes and escapes (https://hl7.org/fhirpath/N1/#tokens-and-lexical-elements).
 *
 * @throws MedSealError `invalid-expression`
 */
export function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    at = matchAt(SPACE, source, at)?.end ?? at;
    if (at === source.length) break;
    const token = tokenAt(source, at);
    tokens.push(token.token);
    at = token.end;
  }
  tokens.push({ kind: 'end', text: '', at });
  return tokens;
}

function matchAt(pattern: RegExp, source: string, at: number): { text: string; end: number } | undefined {
  pattern.lastIndex = at;
  const text = pattern.exec(source)?.[0];
  return text === undefined ? undefined : { text, end: at + text.length };
}

function tokenAt(source: string, at: number): { token: Token; end: number } {
  for (const [kind, pattern] of PATTERNS) {
    const match = matchAt(pattern, source, at);
    if (match !== undefined) return { token: { kind, text: contentOf(kind, match.text, at), at }, end: match.end };
  }
  throw expressionError('Unexpected character', at);
}

/** The text that a token stands for: without quotes, escapes, `@` and `%`. */
function contentOf(kind: Token['kind'], text: string, at: number): string {
  if (kind === 'string' || kind === 'delimited') return withoutEscapes(text.slice(1, -1), at);
  if (kind === 'temporal') return text.slice(1);
  if (kind !== 'variable') return text;
  return text[1] === '`' || text[1] === "'" ? withoutEscapes(text.slice(2, -1), at) : text.slice(1);
}

function withoutEscapes(text: string, at: number): string {
  return text.replace(/\\(?:u([0-9A-Fa-f]{4})|([\s\S]))/g, (_, hex: string | undefined, character: string = '') => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    if (PLAIN_ESCAPES.includes(character)) return character;
    const control = ESCAPES[character];
    if (control === undefined) throw expressionError('Unknown escape sequence in the text', at);
    return control;
  });
}
