import { MedSealError } from '../../errors.ts';
import { parseReference } from '../../fhir/references/reference.ts';
import { type ReferenceSite, walkReferences } from '../../fhir/references/walk.ts';
import type { Institution } from '../../repository/institutions.ts';
import { resourceExpression, type WriteEntry } from './entry.ts';
import { findOnly, type MatchServices, parseCondition } from './match.ts';

/** Where each entry of a transaction ends up: `Type/id`, by its fullUrl. */
export type Targets = ReadonlyMap<string, string>;

/**
 * Rewrites the references of a transaction's resources in place (http://hl7.org/fhir/R4/http.html#trules): `urn:uuid:`
 * and absolute fullUrls to the entries' own ids, conditional references to what they match.
 *
 * @throws MedSealError `unresolved-reference` for a urn or a condition that leads nowhere, `multiple-matches`
 */
export async function resolveReferences(
  services: MatchServices,
  institution: Institution,
  entries: readonly WriteEntry[],
  targets: Targets,
): Promise<void> {
  const conditions = new Map<string, string>();
  for (const entry of entries) {
    const pending = rewrite(entry, targets, conditions);
    if (pending.size === 0) continue;
    for (const [text, expression] of pending) {
      conditions.set(text, await resolveCondition(services, institution, text, expression));
    }
    rewrite(entry, targets, conditions);
  }
}

/** Literal references of a resource to its own institution's resources, as `Type/id`, with where they stand. */
export function literalReferences(
  entry: WriteEntry,
): readonly { readonly target: string; readonly expression: string }[] {
  const found: { target: string; expression: string }[] = [];
  visit(entry, (site) => {
    const parsed = site.kind === 'reference' ? parseReference(site.text) : undefined;
    if (parsed?.kind !== 'relative') return;
    found.push({ target: `${parsed.type}/${parsed.id}`, expression: placeOf(entry, site) });
  });
  return found;
}

function visit(entry: WriteEntry, visitor: (site: ReferenceSite) => void): void {
  if (entry.resource !== undefined) walkReferences(entry.resource, visitor);
}

function placeOf(entry: WriteEntry, site: ReferenceSite): string {
  const path = site.path.slice(site.path.indexOf('.') + 1);
  return `${resourceExpression(entry)}.${path}`;
}

async function resolveCondition(
  services: MatchServices,
  institution: Institution,
  text: string,
  expression: string,
): Promise<string> {
  const [type = '', query = ''] = text.split(/\?(.*)/s);
  const pairs = [...new URLSearchParams(query)];
  const condition = parseCondition(services, institution, type, pairs, expression);
  const match = await findOnly(services, institution, condition, expression);
  if (match !== undefined) return `${type}/${match.id}`;
  throw new MedSealError('unresolved-reference', `A conditional reference to a ${type} matches nothing`, {
    expression,
  });
}

/** @returns the conditional references of which the targets are not known yet, and where they stand */
function rewrite(
  entry: WriteEntry,
  targets: Targets,
  conditions: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const base = entry.fullUrl === undefined ? undefined : baseOf(entry.fullUrl);
  const pending = new Map<string, string>();
  visit(entry, (site) => {
    const target = targetOf(site, base, targets, conditions);
    if (target !== undefined) {
      if (target !== site.text) site.replace(target);
    } else if (site.kind === 'reference') requireResolvable(entry, site, pending);
  });
  return pending;
}

function targetOf(
  { text, kind }: ReferenceSite,
  base: string | undefined,
  targets: Targets,
  conditions: ReadonlyMap<string, string>,
): string | undefined {
  const hash = text.indexOf('#');
  const address = hash < 0 ? text : text.slice(0, hash);
  const target =
    targets.get(address) ??
    (kind === 'reference' ? conditions.get(text) : undefined) ??
    // Relative to the entry's own fullUrl, where that is a RESTful URL (http://hl7.org/fhir/R4/bundle.html#references).
    (base === undefined ? undefined : targets.get(`${base}/${address}`));
  return target === undefined || hash < 0 ? target : target + text.slice(hash);
}

function requireResolvable(entry: WriteEntry, site: ReferenceSite, pending: Map<string, string>): void {
  if (/^urn:(uuid|oid):/i.test(site.text)) {
    const expression = placeOf(entry, site);
    throw new MedSealError('unresolved-reference', `${expression} refers to no entry of this Bundle`, { expression });
  }
  if (site.text.includes('?') && parseReference(site.text)?.kind === 'conditional') {
    pending.set(site.text, placeOf(entry, site));
  }
}

function baseOf(fullUrl: string): string | undefined {
  const parsed = parseReference(fullUrl);
  return parsed?.kind === 'absolute' ? parsed.base : undefined;
}
