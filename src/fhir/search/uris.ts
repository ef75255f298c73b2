/**
 * A URI and those that it is below, by the segments of its path, longest first: what `:above` and `:below` go by
 * (http://hl7.org/fhir/R4/search.html#uri). Without slashes at the end.
 */
export function uriAndAbove(uri: string): readonly string[] {
  const whole = uri.replace(/\/+$/, '');
  const start = whole.indexOf('://') < 0 ? 0 : whole.indexOf('://') + 3;
  const found = [whole];
  for (let at = whole.lastIndexOf('/'); at > start; at = whole.lastIndexOf('/', at - 1)) {
    const above = whole.slice(0, at).replace(/\/+$/, '');
    if (above !== found.at(-1)) found.push(above);
  }
  return found;
}
