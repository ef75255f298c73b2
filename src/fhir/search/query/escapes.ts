/**
 * `$`, `,`, `|` and `\` separate values and are escaped by `\` within them
 * (http://hl7.org/fhir/R4/search.html#escaping).
 */

/** The parts between unescaped separators, still escaped. */
export function splitEscaped(text: string, separator: ',' | '|' | '$'): readonly string[] {
  if (!text.includes('\\')) return text.split(separator);
  const parts: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i += 1) {
    if (text[i] === '\\') i += 1;
    else if (text[i] === separator) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

/** What an escaped part stands for. A backslash before any other character is an ordinary one. */
export function unescapeValue(text: string): string {
  return text.replace(/\\([$,|\\])/g, '$1');
}
