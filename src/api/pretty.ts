/**
 * JSON text laid out for reading, two spaces a level (http://hl7.org/fhir/R4/http.html#pretty). Works on the text, so
 * that every number, escape and key stays as it was written.
 *
 * @param json valid JSON without insignificant whitespace
 */
export function prettyJson(json: string): string {
  const parts: string[] = [];
  let depth = 0;
  for (const [token] of json.matchAll(TOKENS)) {
    const isOpening = token === '{' || token === '[';
    if (token === '}' || token === ']') depth -= 1;
    if (isOpening) depth += 1;
    if (token === '}' || token === ']') parts.push(lineAt(depth), token);
    else if (isOpening || token === ',') parts.push(token, lineAt(depth));
    else parts.push(token === ':' ? ': ' : token);
  }
  return `${parts.join('')}\n`;
}

/** An empty object or list stays together. */
const TOKENS = /"(?:[^"\\]|\\.)*"|\{\}|\[\]|[{}[\],:]|[^"{}[\],:\s]+/g;

function lineAt(depth: number): string {
  return `\n${'  '.repeat(depth)}`;
}
