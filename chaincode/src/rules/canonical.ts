/**
 * Canonical JSON, RFC 8785, for what the ledger holds: every endorser must produce the same bytes. ECMAScript's own
 * serialisation of strings and numbers is the one that the RFC prescribes; what remains is the order of the keys, which
 * is by UTF-16 code units, as `sort` does it.
 */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const members = Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value);
}
