/** Keys and indices from the root. */
export type JsonPath = readonly (string | number)[];

const PLAIN_NAME = /^_?[A-Za-z][A-Za-z0-9]{0,63}$/;

/** A path as FHIRPath writes it, after `root`. A key that is no plain name might be anything and is not shown. */
export function expressionOf(root: string, path: JsonPath): string {
  const steps = path.map((step) => {
    if (typeof step === 'number') return `[${step}]`;
    return PLAIN_NAME.test(step) ? `.${step}` : '.?';
  });
  return root + steps.join('');
}
