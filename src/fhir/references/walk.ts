import { type Property, propertiesOf } from '../fhirpath/types.ts';

/** A place in a resource that leads elsewhere. Only valid while the visitor runs: the same object serves all places. */
export interface ReferenceSite {
  /** `reference`: Reference.reference; `uri`: an element of type uri, url, oid or uuid; `link`: in the narrative. */
  readonly kind: 'reference' | 'uri' | 'link';
  readonly text: string;
  /** FHIRPath of the Reference, of the uri or of the narrative: `Observation.component[2].extension[0].value`. */
  readonly path: string;
  /** Puts another text there. */
  replace(text: string): void;
}

/**
 * Visits every place of a resource that a transaction may have to rewrite (http://hl7.org/fhir/R4/http.html#trules):
 * references, elements of type uri, url, oid and uuid, `<a href>` and `<img src>` of narratives; also in contained
 * resources and extensions. Canonicals are left out, as there. Unknown elements are passed over.
 */
export function walkReferences(resource: object, visit: (site: ReferenceSite) => void): void {
  new Walk(visit).resource(resource as JsonObject);
}

type JsonObject = Record<string, unknown>;

const URI_TYPES: ReadonlySet<string> = new Set(['uri', 'url', 'oid', 'uuid']);
const LINK = /(<(?:a|img)\b[^<>]*?\s(?:href|src)\s*=\s*)(?:"([^"<]*)"|'([^'<]*)')/gi;

class Walk implements ReferenceSite {
  kind: ReferenceSite['kind'] = 'reference';
  text = '';
  readonly #visit: (site: ReferenceSite) => void;
  readonly #steps: (string | number)[] = [];
  #replacement: string | undefined;

  constructor(visit: (site: ReferenceSite) => void) {
    this.#visit = visit;
  }

  get path(): string {
    return this.#steps
      .map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`))
      .join('');
  }

  replace(text: string): void {
    this.#replacement = text;
  }

  resource(resource: JsonObject): void {
    const type = resource.resourceType;
    if (typeof type !== 'string') return;
    if (this.#steps.length > 0) {
      this.#object(resource, type);
      return;
    }
    this.#steps.push(type);
    this.#object(resource, type);
    this.#steps.pop();
  }

  #object(object: JsonObject, type: string): void {
    const properties = propertiesOf(type);
    for (const name of Object.keys(object)) {
      const value = object[name];
      const property = properties.get(name) ?? companionProperty(properties, name);
      if (property === undefined || (typeof value === 'string' && !leadsElsewhere(property, type))) continue;
      this.#steps.push(property.element);
      if (!Array.isArray(value)) this.#item(object, name, property, type);
      else {
        for (const index of value.keys()) {
          this.#steps.push(index);
          this.#item(value, index, property, type);
          this.#steps.pop();
        }
      }
      this.#steps.pop();
    }
  }

  /** One value, held by `holder` under `key`. */
  #item(holder: JsonObject | unknown[], key: string | number, property: Property, parentType: string): void {
    const slots = holder as Record<string | number, unknown>;
    const value = slots[key];
    if (typeof value === 'string') {
      if (!leadsElsewhere(property, parentType)) return;
      const replaced = property.type === 'xhtml' ? this.#narrative(value) : this.#text(value, property);
      if (replaced !== undefined) slots[key] = replaced;
    } else if (isObject(value)) {
      if (property.resource) this.resource(value);
      else this.#object(value, property.type);
    }
  }

  #text(text: string, property: Property): string | undefined {
    if (URI_TYPES.has(property.type)) return this.#site('uri', text);
    // The path is that of the Reference itself.
    this.#steps.pop();
    const replaced = this.#site('reference', text);
    this.#steps.push(property.element);
    return replaced;
  }

  #narrative(div: string): string | undefined {
    let changed = false;
    const result = div.replace(LINK, (all: string, before: string, double?: string, single?: string) => {
      const replaced = this.#site('link', (double ?? single ?? '').replaceAll('&amp;', '&'));
      if (replaced === undefined) return all;
      changed = true;
      return `${before}"${replaced.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')}"`;
    });
    return changed ? result : undefined;
  }

  /** The replacement, if the visitor gave one. */
  #site(kind: ReferenceSite['kind'], text: string): string | undefined {
    this.kind = kind;
    this.text = text;
    this.#replacement = undefined;
    this.#visit(this);
    return this.#replacement;
  }
}

/** Whether a string there is a reference, a uri or a narrative. */
function leadsElsewhere(property: Property, parentType: string): boolean {
  if (property.type === 'string') return parentType === 'Reference' && property.name === 'reference';
  return property.type === 'xhtml' || URI_TYPES.has(property.type);
}

/** `_name` holds the extensions of a primitive. */
function companionProperty(properties: ReadonlyMap<string, Property>, name: string): Property | undefined {
  const property = name.startsWith('_') ? properties.get(name.slice(1)) : undefined;
  return property?.primitive ? property : undefined;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
