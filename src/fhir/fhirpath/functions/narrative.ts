/**
 * The XHTML that a Narrative may hold (http://hl7.org/fhir/R4/narrative.html#xhtml, invariant txt-1): formatting, links,
 * images and tables; nothing active such as script, form, frame, event handler or object.
 */
const ELEMENTS: ReadonlySet<string> = new Set(
  (
    'p br div h1 h2 h3 h4 h5 h6 a span b em i strong small big tt dfn q var abbr acronym cite blockquote hr address ' +
    'bdo kbd sub sup ul ol li dl dt dd pre table caption colgroup col thead tr tfoot tbody th td code samp img map area'
  ).split(' '),
);

const COMMON_ATTRIBUTES: ReadonlySet<string> = new Set(
  (
    'title style class id lang xml:lang dir accesskey tabindex xmlns span width align valign char charoff abbr axis ' +
    'headers scope rowspan colspan'
  ).split(' '),
);

/** Attributes of one element alone. */
const ATTRIBUTES: ReadonlyMap<string, string> = new Map([
  ['a', 'href name charset type hreflang rel rev shape coords'],
  ['area', 'shape coords href nohref alt'],
  ['blockquote', 'cite'],
  ['q', 'cite'],
  ['img', 'src border alt longdesc height usemap ismap'],
  ['map', 'name'],
  ['table', 'summary border frame rules cellspacing cellpadding bgcolor'],
  ['pre', 'space xml:space'],
  ['td', 'nowrap bgcolor'],
  ['th', 'nowrap bgcolor'],
  ['tr', 'bgcolor'],
]);

const MARKUP = /<(?:!--[\s\S]*?--|(\/?)([A-Za-z][\w:.-]*)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?))>/y;
const ATTRIBUTE = /([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

/** Whether `text` is one balanced `<div>` of allowed elements and attributes, without active content. */
export function checkNarrative(text: string): boolean {
  const source = text.trim();
  const open: string[] = [];
  let at = 0;
  while (at < source.length) {
    const next = source.indexOf('<', at);
    // Text is only allowed within the div.
    if (open.length === 0 && next !== at) return false;
    if (next < 0) return false;
    MARKUP.lastIndex = next;
    const match = MARKUP.exec(source);
    if (match === null || !follow(match, open)) return false;
    at = next + match[0].length;
    if (open.length === 0 && at < source.length) return false;
  }
  return at > 0 && open.length === 0;
}

/** Applies one tag to the stack of open elements; false when the tag is not allowed there. */
function follow([, closing, name, attributes = '', empty]: RegExpExecArray, open: string[]): boolean {
  if (name === undefined) return open.length > 0;
  if (closing === '/') return open.pop() === name && attributes === '';
  const isRoot = open.length === 0;
  if (!ELEMENTS.has(name) || (isRoot && name !== 'div')) return false;
  if (empty !== '/') open.push(name);
  else if (isRoot) return false;
  return [...attributes.matchAll(ATTRIBUTE)].every(
    ([, attribute = '', double, single]) => isAllowed(name, attribute) && !isActive(double ?? single ?? ''),
  );
}

function isAllowed(element: string, attribute: string): boolean {
  return COMMON_ATTRIBUTES.has(attribute) || (ATTRIBUTES.get(element)?.split(' ').includes(attribute) ?? false);
}

/** Scripts by another name, as in href="javascript:…", also when written with character references or white space. */
function isActive(value: string): boolean {
  const plain = value.replace(/&#(?:x([0-9a-f]+)|(\d+));?/gi, (_, hex?: string, decimal?: string) => {
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : '';
  });
  return /^[\s\0-\x20]*(?:javascript|vbscript)\s*:/i.test(
    plain.replace(/[\t\n\r]|&(?:Tab|NewLine);/g, '').replaceAll('&colon;', ':'),
  );
}
