import { MedSealError } from '../../errors.ts';
import { parseReference } from '../../fhir/references/reference.ts';
import { type ReferenceSite, walkReferences } from '../../fhir/references/walk.ts';
import type { Institution } from '../../repository/institutions.ts';
import { expressionOf, resourceExpression, type WriteEntry } from './entry.ts';
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
    for (const text of conditionalReferences(entry)) {
      if (!conditions.has(text)) conditions.set(text, await resolveCondition(services, institution, entry, text));
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

function conditionalReferences(entry: WriteEntry): readonly string[] {
  const found: string[] = [];
  visit(entry, (site) => {
    if (site.kind === 'reference' && site.text.includes('?') && parseReference(site.text)?.kind === 'conditional') {
      found.push(site.text);
    }
  });
  return found;
}

async function resolveCondition(
  services: MatchServices,
  institution: Institution,
  entry: WriteEntry,
  text: string,
): Promise<string> {
  const expression = expressionOf(entry, 'resource');
  const [type = '', query = ''] = text.split(/\?(.*)/s);
  const pairs = [...new URLSearchParams(query)];
  const condition = parseCondition(services, institution, type, pairs, expression);
  const match = await findOnly(services, institution, condition, expression);
  if (match !== undefined) return `${type}/${match.id}`;
  throw new MedSealError('unresolved-reference', `A conditional reference to a ${type} matches nothing`, {
    expression,
  });
}

function rewrite(entry: WriteEntry, targets: Targets, conditions: ReadonlyMap<string, string>): void {
  const base = entry.fullUrl === undefined ? undefined : baseOf(entry.fullUrl);
  visit(entry, (site) => {
    const [address = '', fragment] = site.text.split('#');
    const target =
      targets.get(address) ??
      (site.kind === 'reference' ? conditions.get(site.text) : undefined) ??
      // Relative to the entry's own fullUrl, where that is a RESTful URL (http://hl7.org/fhir/R4/bundle.html#references).
      (base === undefined ? undefined : targets.get(`${base}/${address}`));
    if (target !== undefined) {
      const moved = fragment === undefined ? target : `${target}#${fragment}`;
      if (moved !== site.text) site.replace(moved);
      return;
    }
    if (site.kind === 'reference' && /^urn:(uuid|oid):/i.test(site.text)) {
      const expression = placeOf(entry, site);
      throw new MedSealError('unresolved-reference', `${expression} refers to no entry of this Bundle`, { expression });
    }
  });
}

function baseOf(fullUrl: string): string | undefined {
  const parsed = parseReference(fullUrl);
  return parsed?.kind === 'absolute' ? parsed.base : undefined;
}
