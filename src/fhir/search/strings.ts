/**
 * A text as string search compares it (http://hl7.org/fhir/R4/search.html#string): compatibility forms unified (NFKC,
 * so full-width `Ａ` is `A`), case and accents folded, punctuation and white space reduced to single spaces. Chinese
 * and other scripts stay as they are. Idempotent; empty when only punctuation was given.
 */
export function normalise(text: string): string {
  // Almost all texts are ASCII letters and digits already in this form.
  if (/^(?:[a-z0-9]+(?: [a-z0-9]+)*)?$/.test(text)) return text;
  const folded = caseFolded(text.normalize('NFKC'))
    .normalize('NFKD')
    // Combining marks of Latin, Greek and Cyrillic; vowel signs of other scripts are letters there.
    .replace(/[\u0300-\u036F\u1AB0-\u1AFF\u1DC0-\u1DFF\u20D0-\u20FF\uFE20-\uFE2F]/g, '')
    .normalize('NFKC');
  return folded
    .replace(/['’ʼ`´]/g, '')
    .replace(/[\p{P}\p{Z}\p{C}\s]+/gu, ' ')
    .trim();
}

/** Through upper case, since ß, ı and the final sigma have no other way to meet ss, i and σ. */
function caseFolded(text: string): string {
  return text.toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ');
}
