/**
 * TypeScript without what is not code: comments are gone, and every string is replaced by `'#n'`, its index in
 * `strings`. Template literals are cut at their expressions, which stay code. Line breaks stay, so that line numbers do.
 */
export interface Lexed {
  readonly code: string;
  readonly strings: readonly string[];
}

/** What may stand before a regular expression, where a division could not. */
const BEFORE_REGEX = /(?:^|[=(,:;!&|?{}[+\-*%<>~^]|\b(?:return|typeof|case|in|of|yield|await|void|delete))\s*$/;
const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const STRING = /'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/y;
const REGEX = /\/(?![*/])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const TEMPLATE_PART = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*/y;

export function lex(text: string): Lexed {
  const strings: string[] = [];
  let code = '';
  let at = 0;
  /** For each template literal that is open, the braces that its expression has open. */
  const templates: number[] = [];

  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const keep = (content: string, quote = "'"): void => {
    code += `${quote}#${strings.push(content) - 1}${quote}${content.replaceAll(/[^\n]/g, '')}`;
  };
  const templatePart = (): void => {
    keep(take(TEMPLATE_PART) ?? '', '`');
    if (text[at] === '`') at += 1;
    else {
      at += 2;
      templates.push(0);
    }
  };
  const brace = (character: string): boolean => {
    const open = templates.at(-1);
    if (open === undefined || (character !== '{' && character !== '}')) return false;
    if (character === '}' && open === 0) {
      templates.pop();
      at += 1;
      templatePart();
      return true;
    }
    templates[templates.length - 1] = open + (character === '{' ? 1 : -1);
    return false;
  };

  while (at < text.length) {
    const character = text[at] ?? '';
    if (character === '/') {
      const comment = take(COMMENT);
      if (comment !== undefined) code += comment.replaceAll(/[^\n]/g, '');
      else if (BEFORE_REGEX.test(code.slice(-40)) && take(REGEX) !== undefined) code += '/ /';
      else code += text[at++];
      continue;
    }
    if (character === "'" || character === '"') {
      const string = take(STRING);
      if (string !== undefined) {
        keep(string.slice(1, -1));
        continue;
      }
    }
    if (character === '`') {
      at += 1;
      templatePart();
      continue;
    }
    if (brace(character)) continue;
    code += character;
    at += 1;
  }
  return { code, strings };
}
