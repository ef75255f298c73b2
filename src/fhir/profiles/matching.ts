import { decimalText, isDecimal } from '../json/decimals.ts';

/**
 * Whether a value is what `fixed[x]` asks for: the same in every part
 * (http://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.fixed_x_).
 */
export function equalsFixed(value: unknown, fixed: unknown): boolean {
  return matches(value, fixed, true);
}

/** Whether a value has at least what `pattern[x]` has; of a list, some item for each of the pattern's. */
export function fitsPattern(value: unknown, pattern: unknown): boolean {
  return matches(value, pattern, false);
}

function matches(value: unknown, wanted: unknown, exactly: boolean): boolean {
  if (isDecimal(wanted)) return decimalText(value) === decimalText(wanted);
  if (Array.isArray(wanted)) return Array.isArray(value) && matchesList(value, wanted, exactly);
  if (!isObject(wanted)) return value === wanted;
  if (!isObject(value)) return false;
  if (exactly && Object.keys(value).length !== Object.keys(wanted).length) return false;
  return Object.entries(wanted).every(([name, part]) => matches(value[name], part, exactly));
}

function matchesList(values: readonly unknown[], wanted: readonly unknown[], exactly: boolean): boolean {
  if (!exactly) return wanted.every((part) => values.some((value) => matches(value, part, false)));
  return values.length === wanted.length && wanted.every((part, index) => matches(values[index], part, true));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value);
}
